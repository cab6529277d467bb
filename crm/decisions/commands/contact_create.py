"""contactCreate: a card that somebody makes by hand."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, Fields, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.contacts import created
from crm.decisions.custom import checked
from crm.decisions.identifiers_input import free, identifiers_of
from crm.envelope import Event

PLACES = ("phones", "emails", "accounts")
ACCOUNTS = "Keys in other systems and accounts in chats, written as system:key."


class ContactCreate(Command, frozen=True, gc=False, kw_only=True):
    """Creates a contact. Names the contact that has one of the numbers or e-mails already, and creates none then."""

    name: Annotated[str, About(max_length=200, description="What people call them.")] = ""
    phones: Annotated[tuple[Short, ...], About(max_length=20, description="In any spelling.")] = ()
    emails: Annotated[tuple[Short, ...], About(max_length=20, description="E-mail addresses.")] = ()
    accounts: Annotated[tuple[Short, ...], About(max_length=20, description=ACCOUNTS)] = ()
    fields: Fields = {}  # noqa: RUF012  # msgspec gives each its own


@command(row="contact")
def contact_create(command: ContactCreate, case: Case) -> Iterator[Event]:
    given = identifiers_of(case, command.phones, command.emails, PLACES, command.accounts)
    identifiers = free(case, given)
    if not command.name.strip() and not identifiers:
        raise Rejected(
            "name", Code.REQUIRED, "A contact has a name, a telephone, an e-mail or an account. Nothing was changed."
        )
    values = checked(case.state, "contact", command.fields, whole=True)
    contact_id = case.new_id("contact")
    yield from created(case, contact_id, command.name.strip(), "hand", identifiers, fields=values)
