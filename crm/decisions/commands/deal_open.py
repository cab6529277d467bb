"""dealOpen: a deal that somebody opens by hand."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, Fields, Money, Short, command
from crm.decisions.assignment import assigned
from crm.decisions.case import Case
from crm.decisions.contacts import card
from crm.decisions.custom import checked
from crm.decisions.guards import amount_or_default, require, require_text
from crm.decisions.owners import require_assignable
from crm.decisions.parked_payments import retry_parked
from crm.decisions.stages import in_pipeline
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import DealAssigned, DealOpened
from crm.scalars import Id
from crm.state import Contact, Numbers
from crm.state.entities import ONLY


class DealOpen(Command, frozen=True, gc=False, kw_only=True):
    """Opens a deal. Without an owner the assignment rules find one. A payment that waits for it is matched at once."""

    contact_id: Annotated[Id, About(description="Whose card; of a merged one, the card that stays.")]
    title: Annotated[str, About(max_length=500, description="Display title.")]
    amount: Annotated[Money | None, About(description="What it is worth, when that is known.")] = None
    stage: Annotated[Short | None, About(description="Key of a stage; without it the first.")] = None
    owner: Annotated[Short | None, About(description='Omit: assignment rules choose. `""`: nobody.')] = None
    reference: Annotated[str, About(max_length=200, description="Order or invoice number outside.")] = ""
    fields: Fields = {}  # noqa: RUF012  # msgspec gives each its own


@command(row="deal")
def deal_open(command: DealOpen, case: Case) -> Iterator[Event]:
    require(case.state, Contact, command.contact_id, "contactId")
    contact = card(case.state, command.contact_id)
    workspace = workspace_of(case)
    amount, currency = amount_or_default(case, command.amount)
    numbers = case.state.get(Numbers, ONLY)
    deal = DealOpened(
        meta=case.meta(contact.contact_id),
        deal_id=case.new_id("deal"),
        contact_id=contact.contact_id,
        number=numbers.deals + 1 if numbers else 1,
        title=require_text(command.title, "title"),
        amount_minor=amount,
        currency=currency,
        stage=workspace.stages[0] if command.stage is None else in_pipeline(workspace, command.stage),
        source="hand",
        reference=command.reference.strip(),
        fields=checked(case.state, "deal", command.fields, whole=True),
    )
    yield deal
    if command.owner is None:
        yield from assigned(case, deal, contact)
    else:
        meta, version = case.meta(contact.contact_id), workspace.rules_version
        owner = require_assignable(case.state, case.fact.meta.workspace, command.owner, "owner")
        yield DealAssigned(meta, deal.deal_id, deal.contact_id, owner, "", version, "by hand")
    yield from retry_parked(case, contact.contact_id, deal.deal_id, deal.reference)
