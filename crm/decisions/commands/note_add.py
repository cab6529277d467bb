"""noteAdd: a note on a contact or a deal."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, subject
from crm.envelope import Event
from crm.events import NoteAdded
from crm.scalars import Id


class NoteAdd(Command, frozen=True, gc=False, kw_only=True):
    """Writes a note about a contact or about a deal."""

    contact_id: Annotated[Id | None, About(description="About this contact.")] = None
    deal_id: Annotated[Id | None, About(description="Or about this deal.")] = None
    text: Annotated[str, About(max_length=20_000, description="What it says.")]


@command(row="note")
def note_add(command: NoteAdd, case: Case) -> Iterator[Event]:
    contact_id, deal_id = subject(case.state, command.contact_id, command.deal_id)
    text = require_text(command.text, "text")
    yield NoteAdded(case.meta(contact_id), case.new_id("note"), contact_id, text, deal_id)
