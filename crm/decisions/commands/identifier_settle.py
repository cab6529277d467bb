"""identifierSettle: somebody says whose a doubtful identifier is, or that it identifies nobody."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.awaited import awaited
from crm.decisions.by_hand import as_seen, filled, standing
from crm.decisions.case import Case
from crm.decisions.contacts import Way, cards_of, doubt, held_by, identified, taken, undoubted
from crm.decisions.given_ways import email_way, phone_way
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
    kind: Annotated[str, About(max_length=200, description="phone, email, iban, tax_id or such as telegram.")]
    value: Annotated[str, About(max_length=200, description="The identifier, in any spelling.")]
    nobodys: Annotated[bool, About(description="Whether it identifies nobody.")] = False
    why: Annotated[str, About(max_length=500, description="For people.")] = ""


@command(row="contact")
def identifier_settle(command: IdentifierSettle, case: Case) -> Iterator[Event]:
    contact = standing(case.state, command.contact_id, "contactId")
    as_seen(contact, command.expected_version)
    way, why = way_of(command, case), command.why or "by hand"
    if command.nobodys:
        if way.key not in contact.identifiers:
            raise Rejected("value", Code.NOT_FOUND, f"This card does not have {way.value}. Nothing was changed.")
        for one in cards_of(case.state, way.key):
            mine = held_by(case.state, way.key, one)
            if way.key not in mine.nobodys:
                yield doubt(case, mine.contact_id, way, None, why)
        return
    for other in cards_of(case.state, way.key):
        if other.contact_id != contact.contact_id:
            yield from taken(case, other, way, f"it is of {contact.name or contact.contact_id} alone: {why}")
    for other_id in known(case.state, Contact, contact.contact_id).doubts.get(way.key, ()):
        yield from undoubted(case, known(case.state, Contact, other_id), way, why)
    yield from identified(case, contact.contact_id, [way])
    yield from undoubted(case, contact, way, why)
    yield from awaited(case, contact.contact_id)


def way_of(command: IdentifierSettle, case: Case) -> Way:
    """Normalised as everywhere. Raises Rejected."""
    match command.kind:
        case "phone":
            return phone_way(command.value, workspace_of(case).country, "value")
        case "email":
            return email_way(command.value, "value")
        case "iban":
            return Way("iban", "".join(command.value.split()).upper())
    return Way(filled(command.kind, "kind"), filled(command.value, "value"))
