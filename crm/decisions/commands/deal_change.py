"""dealChange: what a deal is about, and what it is worth."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Fields, Line, Money, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.custom import checked
from crm.decisions.guards import amount_or_default, require, require_text, require_version
from crm.decisions.parked_payments import retry_parked
from crm.decisions.settlement import restaged
from crm.envelope import Event
from crm.events import DealChanged
from crm.scalars import Id
from crm.state import Deal


class DealChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes a deal. What is not given stays as it is. With money on it, another sum may move its stage, as a payment
    would, and another currency is refused."""

    deal_id: Annotated[Id, About(description="Which deal.")]
    expected_version: ExpectedVersion = None
    title: Annotated[Line | None, About(description="Display title.")] = None
    amount: Annotated[Money | None, About(description="What it is worth; 0: not known.")] = None
    reference: Annotated[Short | None, About(description="Order or invoice number outside; empty: none.")] = None
    fields: Fields = {}  # noqa: RUF012  # msgspec gives each its own


@command(row="deal")
def deal_change(command: DealChange, case: Case) -> Iterator[Event]:
    deal = require(case.state, Deal, command.deal_id, "dealId")
    require_version(deal, command.expected_version)
    amount, currency = amount_or_default(case, command.amount, deal.currency)
    if currency != deal.currency and (deal.paid_minor or deal.held_minor):
        why = f"There is money in {deal.currency} on D-{deal.number}; it is never converted. Nothing was changed."
        raise Rejected("amount.currency", Code.CURRENCY_MISMATCH, why)
    values = checked(case.state, "deal", command.fields, whole=False)
    if (command.title, command.amount, command.reference) == (None, None, None) and not values:
        raise Rejected("", Code.REQUIRED, "Nothing is given that could be changed: nothing was.")
    yield DealChanged(
        meta=case.meta(deal.contact_id),
        deal_id=deal.deal_id,
        contact_id=deal.contact_id,
        title=None if command.title is None else require_text(command.title, "title"),
        amount_minor=None if command.amount is None else amount,
        currency=None if command.amount is None else currency,
        reference=None if command.reference is None else command.reference.strip(),
        fields=values,
    )
    if command.amount is not None:
        yield from restaged(case, deal.deal_id)
    if command.amount is not None or command.reference:
        yield from retry_parked(case, deal.contact_id, deal.deal_id, (command.reference or "").strip())
