"""One row per contact: who it is and by what it is known."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import (
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    ContactUnmerged,
    IdentifierAdded,
    IdentifierRemoved,
)
from crm.projection import Json, projection
from crm.scalars import Id, Micros


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


Merges = ContactMerged | ContactUnmerged
Told = ContactCreated | ContactRenamed | ContactChanged | IdentifierAdded | IdentifierRemoved | Merges


@projection(
    key="contact_id",
    version=3,
    indexes=("touched_at", "created_at", "phones", "emails", "accounts", "merged_into", "fields"),
    found_by=("name", "phones", "emails"),
)
def contact(row: ContactRow | None, event: Told) -> ContactRow | None:
    at = event.meta.occurred_at
    if isinstance(event, ContactCreated):
        return row or ContactRow(event.contact_id, event.name, event.source, (), (), (), None, at, at)
    if row is None:
        return None
    row = replace(row, touched_at=max(row.touched_at, at), version=row.version + 1)
    match event:
        case ContactRenamed():
            return replace(row, name=event.name)
        case ContactMerged():
            return replace(row, merged_into=event.into_id)
        case ContactUnmerged():
            return replace(row, merged_into=None)
        case ContactChanged():
            return replace(row, fields=given(row.fields, event.fields))
        case IdentifierAdded(kind="phone") if event.value not in row.phones:
            texts = *row.phone_texts, event.text or event.value
            return replace(row, phones=(*row.phones, event.value), phone_texts=texts)
        case IdentifierAdded(kind="phone"):
            return row
        case IdentifierAdded(kind="email"):
            return replace(row, emails=with_(row.emails, event.value))
        case IdentifierAdded():  # telegram:123
            return replace(row, accounts=with_(row.accounts, f"{event.kind}:{event.value}"))
        case IdentifierRemoved(kind="phone"):
            texts = tuple(t for p, t in zip(row.phones, row.phone_texts, strict=True) if p != event.value)
            return replace(row, phones=without(row.phones, event.value), phone_texts=texts)
        case IdentifierRemoved(kind="email"):
            return replace(row, emails=without(row.emails, event.value))
        case IdentifierRemoved():
            return replace(row, accounts=without(row.accounts, f"{event.kind}:{event.value}"))


def with_(known: tuple[str, ...], value: str) -> tuple[str, ...]:
    return known if value in known else (*known, value)


def without(known: tuple[str, ...], value: str) -> tuple[str, ...]:
    return tuple(one for one in known if one != value)


def given(known: Json, changed: Json) -> Json:
    """Custom fields with those that were changed; null takes a field away."""
    return {name: text for name, text in {**known, **changed}.items() if text != "null"}
