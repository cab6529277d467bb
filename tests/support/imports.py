"""A file as the role imports reads it, decided in memory: what a check says and what a run does."""

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from crm.delivery import HOME
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.facts import ContactReported, DealReported, ObjectReported
from crm.imports import Options, Request, Status, import_id
from crm.scalars import Micros
from services.imports.outcome import outcome_of
from services.imports.reading import Reading, open_file, read_import
from services.imports.rows import Skipped
from services.intake.refusals import Refusal
from tests.support.scenarios import NOON, SHOP, shop

Reported = ContactReported | DealReported | ObjectReported


def opened(
    folder: Path,
    content: bytes | str,
    name: str = "people.csv",
    at: Micros = NOON,
    before: Options | None = None,
    **options: Any,
) -> Reading:
    """Opens a file of this content. Raises NoTable."""
    data = content.encode() if isinstance(content, str) else content
    sha256 = hashlib.sha256(data).hexdigest()
    file = folder / sha256
    file.write_bytes(data)
    request = Request(import_id(SHOP, sha256), SHOP, name, sha256, len(data), at, options=Options(**options))
    return read_import(request, open_file(request, file), HOME, before)


def facts(reading: Reading) -> list[Reported]:
    return [read.fact for read in reading.rows() if isinstance(read.fact, Reported)]


def reasons(reading: Reading) -> dict[int, str]:
    """Why rows were not taken, by their numbers."""
    return {read.row.number: str(read.fact) for read in reading.rows() if isinstance(read.fact, Refusal)}


def skipped(reading: Reading) -> list[int]:
    return [read.row.number for read in reading.rows() if isinstance(read.fact, Skipped)]


def described(reading: Reading) -> Status:
    status = Status(reading.request.id)
    reading.describe(status)
    return status


@dataclass
class Crm:
    """A workspace in memory."""

    decide: MemoryDecide = field(default_factory=MemoryDecide)

    def __post_init__(self) -> None:
        self.decide.append(*shop())

    def run(self, reading: Reading) -> list[str]:
        """Imports a file. Returns what became of each row that says something."""
        return [
            outcome_of(self.decide.take(read.fact) or None)[0] for read in reading.rows() if isinstance(read.fact, Fact)
        ]

    def events(self, kind: type[Event]) -> list[Any]:
        return [event for event in self.decide.journal if isinstance(event, kind)]
