"""What stage rules on trial would have done: to which deals, and what would have been left out and why."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from crm import shared
from crm.commands import Rejected
from crm.decisions.commands.stage_rule_define import StageRule
from crm.decisions.stage_rule_guards import checked
from crm.envelope import named_id
from crm.events import StageRuleApplied
from crm.scalars import Id, Micros
from crm.state import Workspace


class Touched(Struct, frozen=True, gc=False):
    """A deal that a rule would have acted on."""

    rule: str
    deal_id: Id
    stage: str
    at: Micros
    why: str
    done: tuple[str, ...]
    left_out: tuple[str, ...]
    task: bool
    message: bool
    webhook: bool


class RuleTotal(Struct, frozen=True, gc=False):
    """What one rule would have done. `left_out`: deals on which it would not have done all of it."""

    rule: str
    deals: int
    tasks: int
    messages: int
    webhooks: int
    left_out: int


def on_trial(given: Iterable[StageRule], workspace: Workspace) -> dict[Id, shared.StageRule]:
    """Returns the rules as a workspace has them, in version 0. Raises ValueError with what is wrong with one."""
    try:
        rules = [checked(rule, 0, workspace, "") for rule in given]
    except Rejected as refusal:
        why = refusal.message.removesuffix(" Nothing was changed.")
        raise ValueError(f"A stage rule is wrong, in {refusal.field}: {why} Nothing was tried.") from None
    return {named_id(workspace.pipeline_id, f"trial/{rule.name}"): rule for rule in rules}


def touched(event: StageRuleApplied) -> Touched:
    """Returns what a rule did on one deal."""
    made = (event.task_id is not None, event.message_id is not None, event.webhook_id is not None)
    at = event.meta.occurred_at
    return Touched(event.rule, event.deal_id, event.stage, at, event.why, event.done, event.left_out, *made)


def totals(given: Iterable[StageRule], deals: Sequence[Touched]) -> list[RuleTotal]:
    """Returns a total of each rule, in the order of the file; also of those that touched nothing."""
    found = []
    for rule in given:
        mine = [deal for deal in deals if deal.rule == rule.name.strip()]
        found.append(
            RuleTotal(
                rule=rule.name.strip(),
                deals=len(mine),
                tasks=sum(deal.task for deal in mine),
                messages=sum(deal.message for deal in mine),
                webhooks=sum(deal.webhook for deal in mine),
                left_out=sum(bool(deal.left_out) for deal in mine),
            )
        )
    return found
