"""One row per contact: its name and identifiers, and what it shows of the contacts merged into it."""

from typing import Any

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import (
    ContactAbsorbed,
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactReleased,
    ContactRemoved,
    ContactRenamed,
    ContactUnmerged,
    IdentifierAdded,
    IdentifierDoubted,
    IdentifierRemoved,
    IdentifierSettled,
)
from crm.projection import Json, projection
from crm.scalars import Id, Micros, SortKey
from crm.shared import ContactIdentifier
from crm.text.sort_keys import sort_key
from projections.one_card import CardData, shown_card, with_other, without_other


class ContactRow(Row, frozen=True, gc=False):
    """A person or a firm. One that turned out to be another's double points to the card that stays."""

    contact_id: Id
    name: str
    source: str
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    accounts: tuple[str, ...]
    merged_into: Id | None
    created_at: Micros
    touched_at: Micros
    fields: Json = {}  # noqa: RUF012  # msgspec gives each its own
    version: int = 1  # how many events it is a fold of; give it as expectedVersion
    phone_texts: tuple[str, ...] = ()  # as they were first given, in the order of `phones`
    doubted: Json = {}  # noqa: RUF012  # identifiers that decide nothing: with which cards they were seen too
    conflicts: Json = {}  # noqa: RUF012  # the name and fields that a merged card has otherwise: all values
    sources: Json = {}  # noqa: RUF012  # after a merge: what each card says, by its id; its own at the empty one
    name_key: SortKey = SortKey("")  # the name as it is sorted


MergeEvent = ContactMerged | ContactUnmerged | ContactAbsorbed | ContactReleased
IdentifierEvent = IdentifierAdded | IdentifierRemoved | IdentifierDoubted | IdentifierSettled
ContactEvent = ContactCreated | ContactRenamed | ContactChanged | ContactRemoved | IdentifierEvent | MergeEvent


@projection(
    key="contact_id",
    version=6,
    indexes=("touched_at", "created_at", "name_key", "phones", "emails", "accounts", "merged_into", "fields"),
    found_by=("name", "phones", "emails"),
)
def contact(row: ContactRow | None, event: ContactEvent) -> ContactRow | None:
    """Folds the history of a contact."""
    at = event.meta.occurred_at
    if isinstance(event, ContactCreated):
        return row or made(event, at)
    if row is None or isinstance(event, ContactRemoved):
        return None
    return replace(row, touched_at=max(row.touched_at, at), version=row.version + 1, **changes(row, event))


def made(event: ContactCreated, at: Micros) -> ContactRow:
    """Returns the row of a new contact."""
    fields, key = shown_card(CardData(fields=event.fields), {}).fields, sort_key(event.name)
    row = ContactRow(event.contact_id, event.name, event.source, (), (), (), None, at, at, fields, name_key=key)
    for one in event.identifiers:
        row = replace(row, **with_identifier(row, one))
    return row


def changes(row: ContactRow, event: ContactEvent) -> dict[str, Any]:
    """Returns the columns that an event changes."""
    match event:
        case IdentifierAdded():
            return with_identifier(row, event)
        case ContactMerged():
            return {"merged_into": event.into_id}
        case ContactUnmerged():
            return {"merged_into": None}
        case IdentifierRemoved():
            return card_columns(row, event) | without_identifier(row, event)
        case ContactChanged(created_at=at) if at is not None:
            return card_columns(row, event) | {"created_at": at}
    return card_columns(row, event)


def with_identifier(row: ContactRow, event: IdentifierAdded | ContactIdentifier) -> dict[str, Any]:
    """Returns the column with the identifier added."""
    match event.kind:
        case "phone" if event.value not in row.phones:
            texts = *row.phone_texts, event.text or event.value
            return {"phones": (*row.phones, event.value), "phone_texts": texts}
        case "phone":
            return {}
        case "email":
            return {"emails": with_(row.emails, event.value)}
    return {"accounts": with_(row.accounts, f"{event.kind}:{event.value}")}  # channel:account


def without_identifier(row: ContactRow, event: IdentifierRemoved) -> dict[str, Any]:
    """Returns the column with the identifier removed."""
    match event.kind:
        case "phone":
            texts = tuple(t for p, t in zip(row.phones, row.phone_texts, strict=True) if p != event.value)
            return {"phones": without(row.phones, event.value), "phone_texts": texts}
        case "email":
            return {"emails": without(row.emails, event.value)}
    return {"accounts": without(row.accounts, f"{event.kind}:{event.value}")}


def card_columns(row: ContactRow, event: ContactEvent) -> dict[str, Any]:
    """Returns the columns that combine this contact's own data with that of the contacts merged into it."""
    own, others = CardData.own(row.name, row.fields, row.doubted, row.sources), CardData.others(row.sources)
    match event:
        case ContactRenamed():
            own = replace(own, name=event.name)
        case ContactChanged():
            own = own.changed(event.fields, others)
        case IdentifierDoubted():
            own = own.with_doubt(f"{event.kind}:{event.value}", event.other_id or "")
        case IdentifierSettled() | IdentifierRemoved():
            own = own.without_doubt(f"{event.kind}:{event.value}")
        case ContactAbsorbed():
            others = with_other(others, event.other_id, event.name, event.fields)
        case ContactReleased():
            others = without_other(others, event.other_id)
    shown = shown_card(own, others)
    return {**shown._asdict(), "name_key": sort_key(shown.name)}


def with_(known: tuple[str, ...], value: str) -> tuple[str, ...]:
    return known if value in known else (*known, value)


def without(known: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(one for one in known if one != value)
