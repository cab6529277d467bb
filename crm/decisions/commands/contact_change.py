"""contactChange: another name, other identifiers, other custom fields."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Fields, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.commands.contact_create import ACCOUNTS
from crm.decisions.contacts import identified, taken
from crm.decisions.custom import checked
from crm.decisions.guards import require_unmerged, require_version
from crm.decisions.identifiers_input import free, identifiers_of
from crm.decisions.parked_payments import retry_parked
from crm.envelope import Event
from crm.events import ContactChanged, ContactRenamed
from crm.scalars import Id

PLACES = ("addPhones", "addEmails", "addAccounts"), ("removePhones", "removeEmails", "removeAccounts")
Texts = tuple[Short, ...]


class ContactChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes a card. What is not given stays as it is."""

    contact_id: Annotated[Id, About(description="Which card.")]
    expected_version: ExpectedVersion = None
    name: Annotated[Short | None, About(description="What people call them.")] = None
    add_phones: Annotated[Texts, About(max_length=20, description="In any spelling.")] = ()
    remove_phones: Annotated[Texts, About(max_length=20, description="In any spelling.")] = ()
    add_emails: Annotated[Texts, About(max_length=20, description="E-mail addresses.")] = ()
    remove_emails: Annotated[Texts, About(max_length=20, description="E-mail addresses.")] = ()
    add_accounts: Annotated[Texts, About(max_length=20, description=ACCOUNTS)] = ()
    remove_accounts: Annotated[Texts, About(max_length=20, description="As `accounts` shows them.")] = ()
    fields: Fields = {}  # noqa: RUF012  # msgspec gives each its own


@command(row="contact")
def contact_change(command: ContactChange, case: Case) -> Iterator[Event]:
    contact_id = command.contact_id
    contact = require_unmerged(case.state, contact_id, "contactId")
    require_version(contact, command.expected_version)
    gone = identifiers_of(case, command.remove_phones, command.remove_emails, PLACES[1], command.remove_accounts)
    new = free(
        case, identifiers_of(case, command.add_phones, command.add_emails, PLACES[0], command.add_accounts), contact_id
    )
    values = checked(case.state, "contact", command.fields, whole=False)
    for field, identifier in gone:
        if identifier.key not in contact.identifiers:
            raise Rejected(field, Code.NOT_FOUND, f"This card does not have {identifier.value}. Nothing was changed.")
    if command.name is not None and (name := command.name.strip()) != contact.name:
        yield ContactRenamed(case.meta(contact_id), contact_id, name, "by hand")
    for _, identifier in gone:
        yield from taken(case, contact, identifier, "by hand")
    yield from identified(case, contact_id, new)
    if values:
        yield ContactChanged(case.meta(contact_id), contact_id, values)
    if new:
        yield from retry_parked(case, contact_id)
