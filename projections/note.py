"""One row per note about a contact or a deal."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import NoteAdded, NoteChanged, NoteRemoved
from crm.projection import projection
from crm.scalars import Id, Micros


class NoteRow(Row, frozen=True, gc=False):
    """A note."""

    note_id: Id
    contact_id: Id
    deal_id: Id | None
    text: str
    author: str
    version: int  # how many events it is a fold of; give it as expectedVersion
    written_at: Micros
    touched_at: Micros


@projection(
    key="note_id",
    version=2,
    indexes=("touched_at", "written_at", "contact_id, touched_at", "deal_id, touched_at"),
    found_by_words="text",
)
def note(row: NoteRow | None, event: NoteAdded | NoteChanged | NoteRemoved) -> NoteRow | None:
    at, by = event.meta.occurred_at, event.meta.actor
    match event:
        case NoteAdded():
            return row or NoteRow(event.note_id, event.contact_id, event.deal_id, event.text, by, 1, at, at)
        case NoteChanged() if row:
            return replace(row, text=event.text, version=row.version + 1, touched_at=max(row.touched_at, at))
    return None
