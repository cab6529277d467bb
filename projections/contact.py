"""One row per contact: who it is and by what it is known."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import ContactCreated, ContactMerged, ContactRenamed, IdentifierAdded
from crm.projection import projection
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


@projection(key="contact_id", version=1, indexes=("touched_at", "phones", "emails", "accounts", "merged_into"))
def contact(
    row: ContactRow | None, event: ContactCreated | ContactRenamed | IdentifierAdded | ContactMerged
) -> ContactRow | None:
    at = event.meta.occurred_at
    if isinstance(event, ContactCreated):
        return row or ContactRow(event.contact_id, event.name, event.source, (), (), (), None, at, at)
    if row is None:
        return None
    row = replace(row, touched_at=max(row.touched_at, at))
    match event:
        case ContactRenamed():
            return replace(row, name=event.name)
        case ContactMerged():
            return replace(row, merged_into=event.into_id)
        case IdentifierAdded(kind="phone"):
            return replace(row, phones=with_(row.phones, event.value))
        case IdentifierAdded(kind="email"):
            return replace(row, emails=with_(row.emails, event.value))
        case IdentifierAdded():  # telegram:123
            return replace(row, accounts=with_(row.accounts, f"{event.kind}:{event.value}"))


def with_(known: tuple[str, ...], value: str) -> tuple[str, ...]:
    return known if value in known else (*known, value)
