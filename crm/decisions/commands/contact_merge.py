"""contactMerge: two cards are one person's."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.guards import require_unmerged, require_version
from crm.decisions.merging import merged
from crm.decisions.parked_payments import retry_parked
from crm.envelope import Event
from crm.scalars import Id


class ContactMerge(Command, frozen=True, gc=False, kw_only=True):
    """Merges a card into another, which gets its telephones, e-mails and accounts, and shows its name and fields where
    it has none; where both have one, the conflict is shown. The history of both is shown with the one that stays.
    contactUnmerge undoes it."""

    contact_id: Annotated[Id, About(description="The card that goes into the other.")]
    into_id: Annotated[Id, About(description="The card that stays.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="contact", key="into_id")
def contact_merge(command: ContactMerge, case: Case) -> Iterator[Event]:
    if command.contact_id == command.into_id:
        raise Rejected("intoId", Code.INVALID, "A card cannot be merged into itself. Nothing was changed.")
    contact = require_unmerged(case.state, command.contact_id, "contactId")
    into = require_unmerged(case.state, command.into_id, "intoId")
    require_version(contact, command.expected_version)
    yield from merged(case, contact.contact_id, into.contact_id, command.why or "by hand")
    yield from retry_parked(case, into.contact_id)
