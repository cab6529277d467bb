"""Imports of files: what a person asked for and how far it is, as the API, the role and the command line see it."""

import hashlib
import re
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from crm.envelope import named_id
from crm.scalars import Id, Micros

LARGEST = 2_000_000_000  # bytes of a file
CONTACT, DEAL = "contact", "deal"
OF_BOTH = ("key", "name", "first_name", "last_name", "middle_name", "phones", "emails", "created_at", "changed_at")
TARGETS = {
    CONTACT: OF_BOTH,
    DEAL: (*OF_BOTH, "title", "amount", "currency", "stage", "owner", "contact_key", "reference"),
}
OF_OBJECTS = ("key", "title", "status", "changed_at")


class Wish(StrEnum):
    """What shall be done with a file."""

    CHECK = "check"  # read all of it and say what would follow; nothing is changed
    RUN = "run"  # after a pause, from the row where it was
    PAUSE = "pause"
    CANCEL = "cancel"  # what was imported so far stays
    CHECK_UNDO = "check-undo"  # say what would go, be set back and stay; nothing is changed
    UNDO = "undo"
    REDO = "redo"  # the undo of the undo: the rows come again


STOPS = (Wish.PAUSE, Wish.CANCEL)
UNDOES = (Wish.CHECK_UNDO, Wish.UNDO)


class Phase(StrEnum):
    """What is done with a file now."""

    WAITING = "waiting"
    CHECKING = "checking"
    CHECKED = "checked"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"
    FAILED = "failed"  # as a whole: `message` says why
    UNDOING = "undoing"
    UNDO_CHECKED = "undo-checked"
    UNDONE = "undone"


class Options(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a person says of a file; everything that is left out is found in it."""

    record: str = ""  # contact, deal or the key of a type of objects
    columns: dict[str, str] = {}  # header to target
    system: str = ""  # whose keys the rows have
    existing: str = "update"  # or fill, or skip
    charset: str = ""
    delimiter: str = ""
    sheet: str = ""


class Request(Struct, frozen=True, omit_defaults=True):
    """What was asked for last. Written by the API alone."""

    id: Id
    workspace: Id
    name: str
    sha256: str
    size: int  # bytes
    uploaded_at: Micros  # of this content, for the first time: the moment of what it says
    wish: Wish = Wish.CHECK
    options: Options = Options()
    number: int = 1  # of the request, from 1 on
    resumes: bool = False  # what a pause stopped goes on
    unattended: bool = False  # it was in the watched folder: it is run if a person imported such a file before
    mailed_by: str = ""  # it came by a mail with this From


class Reason(Struct, frozen=True):
    """Why a row was not taken, or what of it needs a look."""

    row: int
    why: str


class Counts(Struct):
    """Rows by what becomes of them, in a check on the decisions that a run would make."""

    rows: int = 0
    create: int = 0
    update: int = 0
    unchanged: int = 0
    skip: int = 0
    error: int = 0
    doubt: int = 0  # of those that are taken: a person should look at them


class Kept(Struct, frozen=True):
    """A card, a deal or an object that an undo leaves, all or in part, and why."""

    record: str  # contact, deal or object
    id: Id
    name: str  # for people, such as D-7 Website
    why: str


class Undo(Struct):
    """What an undo does, or would do, to what an import made and changed."""

    number: int = 0  # how often the import was undone, with this time; 0: nothing is left to undo
    contacts: int = 0  # that are gone
    deals: int = 0
    objects: int = 0
    set_back: int = 0  # cards, deals and objects that are as they were before
    kept: int = 0
    reasons: list[Kept] = field(default_factory=list)  # the first of them
    after: str = ""  # the last card or object that is done, in the order of their ids

    @property
    def removed(self) -> int:
        return self.contacts + self.deals + self.objects


class Status(Struct):
    """How far an import is. Written by the role alone."""

    id: Id
    phase: Phase = Phase.WAITING
    answers: int = 0  # the request that it is about
    message: str = ""
    name: str = ""
    format: str = ""
    found: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    record: str = ""
    system: str = ""
    columns: dict[str, str] = field(default_factory=dict)
    sample: list[list[str]] = field(default_factory=list)
    counts: Counts = field(default_factory=Counts)
    checked: Counts = field(default_factory=Counts)  # what the last check said of the same file with the same options
    reasons: list[Reason] = field(default_factory=list)  # the first of them
    doubts: list[Reason] = field(default_factory=list)
    skipped: list[Reason] = field(default_factory=list)
    sent: int = 0  # rows whose facts are stored
    decided: int = 0  # of them, those that are decided: they are in the cards
    row: int = 0  # the last row of the file that is decided or was refused
    done: int = 0  # of `whole`: bytes of the file, or rows of a sheet
    whole: int = 0
    seconds: float = 0.0
    failed: str = ""  # name of the file of rows that were not taken, or of what an undo kept
    undo: Undo | None = None


AT_WORK = (Phase.WAITING, Phase.CHECKING, Phase.RUNNING, Phase.UNDOING)


def next_request(request: Request, status: Status | None, wish: Wish, options: Options | None = None) -> Request:
    """Returns what is asked for next of a file; `options` of None are those of before. Raises ValueError, with a
    sentence, where there is nothing to stop."""
    phase = phase_of(request, status)
    stoppable = (*AT_WORK, Phase.PAUSED) if wish is Wish.CANCEL else AT_WORK
    if wish in STOPS and phase not in stoppable:
        raise ValueError(f"It is {phase}, so there is nothing to stop. Nothing was changed.")
    if wish is Wish.PAUSE and request.wish in UNDOES:
        raise ValueError("An undo cannot be paused; cancel stops it, and another undo goes on. Nothing was changed.")
    said = request.options if options is None else options
    resumes = wish is Wish.RUN and request.wish is Wish.PAUSE and said == request.options
    return replace(request, wish=wish, options=said, number=request.number + 1, resumes=resumes, unattended=False)


def phase_of(request: Request, status: Status | None) -> Phase:
    """Returns what is done with a file now: until the role has seen what is asked for, it waits."""
    if status is None or (status.answers != request.number and request.wish not in STOPS):
        return Phase.WAITING
    return status.phase


def targets_of(record: str) -> tuple[str, ...]:
    """Returns what a column can be, custom fields aside, of a contact, a deal or a type of objects."""
    return TARGETS.get(record, OF_OBJECTS)


def import_id(workspace: Id, sha256: str) -> Id:
    """Returns the id of an import: the same content in a workspace is the same import."""
    return named_id(workspace, f"import/{sha256}")


def import_source(id: Id, generation: int) -> Id:
    """Returns the source of an import's facts. `generation`: how often it was undone before they came."""
    return named_id(id, f"again/{generation}") if generation else id


def undo_source(id: Id, number: int) -> Id:
    """Returns the source of the facts of its undo number `number`, from 1 on."""
    return named_id(id, f"undo/{number}")


def digest_of(file: Path) -> str:
    """Returns the SHA-256 of a file's bytes."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


FORMULA = "=+-@\t\r"  # what a text begins with that a spreadsheet runs
PLAIN = re.compile(r"[+-]?[0-9 ().-]+")  # telephones and numbers, which are run to nothing else


def guarded(text: str) -> str:
    """Returns a text that a spreadsheet shows and does not run: with an apostrophe, which `unguarded` takes away."""
    return f"'{text}" if text and text[0] in FORMULA and not PLAIN.fullmatch(text) else text


def unguarded(text: str) -> str:
    return text[1:] if text[:1] == "'" and text[1:2] and text[1] in FORMULA else text
