"""noteRemove: a note taken away."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.notes_and_tasks import note_of
from crm.envelope import Event
from crm.events import NoteRemoved
from crm.scalars import Id


class NoteRemove(Command, frozen=True, gc=False, kw_only=True):
    """Takes a note away. What it said stays in the journal."""

    note_id: Annotated[Id, About(description="Which note.")]
    expected_version: ExpectedVersion = None


@command(row="note")
def note_remove(command: NoteRemove, case: Case) -> Iterator[Event]:
    note = note_of(case.state, command.note_id)
    require_version(note, command.expected_version)
    yield NoteRemoved(case.meta(note.contact_id), command.note_id, note.contact_id, note.deal_id)
