"""dealAssign: somebody gets a deal by hand."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require, require_version
from crm.decisions.owners import require_assignable
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import DealAssigned
from crm.scalars import Id
from crm.state import Deal


class DealAssign(Command, frozen=True, gc=False, kw_only=True):
    """Gives a deal to somebody, or to nobody."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    owner: Annotated[str, About(max_length=200, description='Who gets it. `""`: nobody.')]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="deal")
def deal_assign(command: DealAssign, case: Case) -> Iterator[Event]:
    deal = require(case.state, Deal, command.deal_id, "dealId")
    require_version(deal, command.expected_version)
    owner = command.owner.strip()
    if owner == deal.owner:
        raise Rejected(
            "owner", Code.UNCHANGED, f"D-{deal.number} is {owner or 'nobody'}'s already. Nothing was changed."
        )
    require_assignable(case.state, case.fact.meta.workspace, owner, "owner")
    meta, version = case.meta(deal.contact_id), workspace_of(case).rules_version
    yield DealAssigned(meta, deal.deal_id, deal.contact_id, owner, "", version, command.why or "by hand")
