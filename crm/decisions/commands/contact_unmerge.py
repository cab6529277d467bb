"""contactUnmerge: two cards were not one person's after all."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.contacts import line
from crm.decisions.guards import require, require_version
from crm.decisions.merging import unmerged
from crm.decisions.parked_payments import retry_parked
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Contact


class ContactUnmerge(Command, frozen=True, gc=False, kw_only=True):
    """Takes a merged card out again: each card has its own history, and what came through the merge goes back. So does
    what came in meanwhile by a number, an e-mail or an account of the merged card; what people did on the card that
    stayed stays there."""

    contact_id: Annotated[Id, About(description="The card that was merged into another.")]
    expected_version: ExpectedVersion = None
    why: Annotated[str, About(max_length=500, description="Why; shown to people.")] = ""


@command(row="contact")
def contact_unmerge(command: ContactUnmerge, case: Case) -> Iterator[Event]:
    contact = require(case.state, Contact, command.contact_id, "contactId")
    if not contact.merged_into:
        raise Rejected("contactId", Code.INVALID, "This card was merged into none. Nothing was changed.")
    require_version(contact, command.expected_version)
    (*_, stands) = line(case.state, contact.contact_id)
    yield from unmerged(case, contact, command.why or "by hand")
    for one in (contact.contact_id, stands.contact_id):
        yield from retry_parked(case, one)
