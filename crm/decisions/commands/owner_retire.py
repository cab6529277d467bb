"""ownerRetire: a salesperson who gets nothing new."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.owners import require_owner
from crm.decisions.stage_rule_guards import refuse_in_use
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import OwnerChanged


class OwnerRetire(Command, frozen=True, gc=False, kw_only=True):
    """Retires a salesperson, who gets nothing new from then on. Deals and tasks stay theirs until they are given to
    somebody else. Refused while an assignment rule or a stage rule names them. `ownerAdd` brings one back."""

    key: Annotated[str, About(max_length=200, description="Which owner.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="owner")
def owner_retire(command: OwnerRetire, case: Case) -> Iterator[Event]:
    id, owner = require_owner(case, command.key)
    require_version(owner, command.expected_version)
    if not owner.active:
        raise Rejected("key", Code.UNCHANGED, f"{owner.name} ({owner.key}) is retired already. Nothing was changed.")
    if named := [rule.name for rule in workspace_of(case).rules if owner.key in rule.owners]:
        rules = ", ".join(map(repr, named))
        why = f"{owner.name} ({owner.key}) gets deals by {rules}. Nothing was changed: set rules without them first."
        raise Rejected("key", Code.IN_USE, why)
    gives = (r.name for r in workspace_of(case).stage_rules.values() if r.task and r.task.owner == owner.key)
    refuse_in_use(gives, f"{owner.name} ({owner.key})", "key")
    yield OwnerChanged(
        meta=case.meta(case.fact.meta.workspace),
        owner_id=id,
        key=owner.key,
        name=owner.name,
        email=owner.email,
        phone=owner.phone,
        extension=owner.extension,
        active=False,
        why=command.why.strip() or "retired",
    )
