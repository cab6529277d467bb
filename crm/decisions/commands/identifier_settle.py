"""identifierSettle: somebody says whose a doubtful identifier is, or that it identifies nobody."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.case import Case
from crm.decisions.contacts import Identifier, cards_of, doubt, held_by, identified, taken, undoubted
from crm.decisions.guards import require_text, require_unmerged, require_version
from crm.decisions.identifiers_input import email_identifier, phone_identifier
from crm.decisions.parked_payments import retry_parked
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.scalars import Id
from crm.state import Contact, known


class IdentifierSettle(Command, frozen=True, gc=False, kw_only=True):
    """Says whose an identifier is that was seen with several contacts: it is taken from all other cards, and identifies
    again. Or says that it identifies nobody, such as a firm's mailbox: the cards keep it, and nothing is matched by it.
    If the contacts are one person, use contactMerge instead."""

    contact_id: Annotated[Id, About(description="Whose it is alone; or one of those who have it.")]
    expected_version: ExpectedVersion = None
    kind: Annotated[
        str, About(max_length=200, description="phone, email, iban, tax_id, or the channel of a chat account.")
    ]
    value: Annotated[str, About(max_length=200, description="The identifier, in any spelling.")]
    nobodys: Annotated[bool, About(description="Whether it identifies nobody.")] = False
    why: Annotated[str, About(max_length=500, description="Reason, shown to people; the system does not use it.")] = ""


@command(row="contact")
def identifier_settle(command: IdentifierSettle, case: Case) -> Iterator[Event]:
    contact = require_unmerged(case.state, command.contact_id, "contactId")
    require_version(contact, command.expected_version)
    identifier, why = way_of(command, case), command.why or "by hand"
    if command.nobodys:
        if identifier.key not in contact.identifiers:
            raise Rejected("value", Code.NOT_FOUND, f"This card does not have {identifier.value}. Nothing was changed.")
        for one in cards_of(case.state, identifier.key):
            mine = held_by(case.state, identifier.key, one)
            if identifier.key not in mine.nobodys:
                yield doubt(case, mine.contact_id, identifier, None, why)
        return
    for other in cards_of(case.state, identifier.key):
        if other.contact_id != contact.contact_id:
            yield from taken(case, other, identifier, f"it is of {contact.name or contact.contact_id} alone: {why}")
    for other_id in known(case.state, Contact, contact.contact_id).doubts.get(identifier.key, ()):
        yield from undoubted(case, known(case.state, Contact, other_id), identifier, why)
    yield from identified(case, contact.contact_id, [identifier])
    yield from undoubted(case, contact, identifier, why)
    yield from retry_parked(case, contact.contact_id)


def way_of(command: IdentifierSettle, case: Case) -> Identifier:
    """Normalised as everywhere. Raises Rejected."""
    match command.kind:
        case "phone":
            return phone_identifier(command.value, workspace_of(case).country, "value")
        case "email":
            return email_identifier(command.value, "value")
        case "iban":
            return Identifier("iban", "".join(command.value.split()).upper())
    return Identifier(require_text(command.kind, "kind"), require_text(command.value, "value"))
