"""A lead becomes a deal: it gets its number, its first stage and its owner at once."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from crm.decisions.assignment import assigned
from crm.decisions.case import Case
from crm.decisions.workspace import LARGEST_SUM, workspace_of
from crm.envelope import Event
from crm.events import DealOpened
from crm.facts import FormSubmitted
from crm.scalars import Id
from crm.state import Contact, Numbers
from crm.state.entities import ONLY


def opened(
    case: Case,
    contact_id: Id,
    deal_id: Id,
    title: str,
    source: str,
    form: FormSubmitted | None = None,
    utm: Mapping[str, str] = MappingProxyType({}),
    known: Contact | None = None,
    written: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Event]:
    """`known`: the contact's card, unless it was made a moment ago. `written`: fields that were converted, as they
    came."""
    workspace = workspace_of(case)
    numbers = case.state.get(Numbers, ONLY)
    amount, doubts = believable(form)
    deal = DealOpened(
        meta=case.meta(contact_id),
        deal_id=deal_id,
        contact_id=contact_id,
        number=numbers.deals + 1 if numbers else 1,
        title=title,
        amount_minor=amount,
        currency=form.currency or workspace.currency if form else workspace.currency,
        stage=workspace.stages[0],
        source=source,
        form=form.form if form else "",
        page=form.page if form else "",
        reference=form.reference.strip() if form else "",
        fields=form.fields if form else {},
        utm=form.utm if form else dict(utm),
        files=form.files if form else (),
        suspicious=form.suspicious if form else "",
        doubts=doubts,
        digest=form.digest if form else "",
        written=dict(written),
    )
    yield deal
    yield from assigned(case, deal, known)


def believable(form: FormSubmitted | None) -> tuple[int, tuple[str, ...]]:
    """The form's sum, and what is doubtful in it. Anybody can write anything into a form: a sum that no deal can have
    is kept in the raw form only, and said. It costs nobody an owner."""
    if form is None or form.amount_minor is None:
        return 0, form.doubts if form else ()
    if 0 <= form.amount_minor <= LARGEST_SUM:
        return form.amount_minor, form.doubts
    why = f"The sum cannot be true, so it was left out: {form.amount_minor} in the smallest unit of the currency."
    return 0, (*form.doubts, why)
