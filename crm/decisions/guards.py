"""Checks that most commands make first: the subject exists, its version is the expected one, the input can be kept."""

from typing import Any, TypeVar

from crm.commands import Code, Money, Rejected
from crm.decisions.case import Case, Entity, State
from crm.decisions.workspace import LARGEST_SUM, workspace_of
from crm.errors import Malformed
from crm.money import currency_of
from crm.scalars import Id
from crm.state import Contact, Deal

E = TypeVar("E", bound=Entity)


def require(state: State, kind: type[E], key: Id, field: str, what: str = "") -> E:
    """Raises Rejected when there is none."""
    if (found := state.get(kind, key)) is None:
        what = what or kind.__name__.lower()
        raise Rejected(field, Code.NOT_FOUND, f"There is no {what} {key}. Nothing was changed.")
    return found


def require_version(entity: Any, expected: int | None) -> None:
    """Raises Rejected when somebody changed it since the caller read it."""
    if expected is not None and (at := entity.version) != expected:
        why = f"It is at version {at} now, and you have read {expected}. Nothing was changed: read it again."
        raise Rejected("expectedVersion", Code.VERSION_CONFLICT, why)


def require_unmerged(state: State, contact_id: Id, field: str) -> Contact:
    """A card that was merged into none. Raises Rejected."""
    contact = require(state, Contact, contact_id, field)
    if contact.merged_into:
        raise Rejected(field, Code.MERGED, f"This card was merged into {contact.merged_into}. Nothing was changed.")
    return contact


def subject(state: State, contact_id: Id | None, deal_id: Id | None) -> tuple[Id, Id | None]:
    """The contact whose stream a note or a task belongs to, and the deal that it is about. Raises Rejected."""
    if (contact_id is None) == (deal_id is None):
        raise Rejected(
            "contactId", Code.REQUIRED, "It is about a contact or about a deal: give one of them. Nothing was changed."
        )
    if deal_id is not None:
        return require(state, Deal, deal_id, "dealId").contact_id, deal_id
    assert contact_id is not None
    return require_unmerged(state, contact_id, "contactId").contact_id, None


def require_text(text: str, field: str) -> str:
    """Without blanks around it. Raises Rejected when nothing is left."""
    if not (text := text.strip()):
        raise Rejected(field, Code.REQUIRED, "It may not be empty. Nothing was changed.")
    return text


def amount_or_default(case: Case, amount: Money | None, currency: str = "") -> tuple[int, str]:
    """The sum in the smallest unit and its currency, which is the workspace's when nobody says. Raises Rejected."""
    currency = currency or workspace_of(case).currency
    if amount is None:
        return 0, currency
    if amount.minor > LARGEST_SUM:
        raise Rejected("amount.minor", Code.INVALID, f"A sum is at most {LARGEST_SUM}. Nothing was changed.")
    try:
        return amount.minor, currency_of(amount.currency) if amount.currency else currency
    except Malformed as error:
        raise Rejected("amount.currency", Code.INVALID, f"{error} Nothing was changed.") from None
