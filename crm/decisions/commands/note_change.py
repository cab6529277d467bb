"""noteChange: a note rewritten."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, require_version
from crm.decisions.notes_and_tasks import note_of
from crm.envelope import Event
from crm.events import NoteChanged
from crm.scalars import Id


class NoteChange(Command, frozen=True, gc=False, kw_only=True):
    """Rewrites a note."""

    note_id: Annotated[Id, About(description="Which note.")]
    text: Annotated[str, About(max_length=20_000, description="What it says now.")]
    expected_version: ExpectedVersion = None


@command(row="note")
def note_change(command: NoteChange, case: Case) -> Iterator[Event]:
    note = note_of(case.state, command.note_id)
    require_version(note, command.expected_version)
    text = require_text(command.text, "text")
    yield NoteChanged(case.meta(note.contact_id), command.note_id, note.contact_id, text, note.deal_id)
