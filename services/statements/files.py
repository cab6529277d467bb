"""One file of statements from its bytes to its facts, and a check of these facts that needs no server."""

from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

from crm import zones
from crm.envelope import now
from crm.errors import Malformed
from crm.scalars import Id
from services.intake.fact_lines import parse_line
from services.intake.refusals import Refusal
from services.intake.values import LineContext
from services.statements.facts import Proof, distinct, fact_lines
from services.statements.lines import Assumed, Reading
from services.statements.reading import LARGEST, TOO_LARGE, check_chain, of_account, read, refused
from services.statements.summary import Total, totals

NOBODY = Id(str(UUID(int=0)))


@dataclass
class StatementFile:
    """What a file holds: `facts` are its lines as POST /facts takes them, each with its place in the file."""

    reading: Reading
    facts: list[tuple[int, bytes]] = field(default_factory=list)

    @property
    def totals(self) -> list[Total]:
        return totals(self.reading.statements)

    @property
    def sentences(self) -> list[str]:
        """What was left out, and what does not add up."""
        rows = [
            f"{self.row_name} {one.place}: {one.sentence}" if one.place else one.sentence
            for one in self.reading.problems
        ]
        checks = (
            f"{one.account} {one.name}".strip() + f": {check}"
            for one in self.reading.statements
            for check in one.checks
        )
        return [*rows, *checks]

    @property
    def row_name(self) -> str:
        return {"camt": "Entry", "Excel": "Row", "DBF": "Record"}.get(self.reading.format, "Line")


def read_file(body: bytes, assumed: Assumed, zone: ZoneInfo, proof: Proof | None = None) -> StatementFile:
    reading = of_account(read(body, assumed), assumed.account)
    reading.statements = distinct(reading.statements)
    check_chain(reading.statements)
    return StatementFile(reading, list(fact_lines(reading.statements, zone, proof)))


def read_path(path: Path, assumed: Assumed, zone: ZoneInfo, proof: Proof | None = None) -> StatementFile:
    """Returns a file's statements; of one that is too large, a sentence without reading it."""
    if path.stat().st_size > LARGEST:
        return StatementFile(refused(TOO_LARGE))
    return read_file(path.read_bytes(), assumed, zone, proof)


def check_facts(file: StatementFile) -> int:
    """Returns how many facts intake would accept; the others get a sentence each."""
    context, good = LineContext(NOBODY, NOBODY, now()), 0
    for place, line in file.facts:
        try:
            parse_line(line, lambda: NOBODY, context)
            good += 1
        except Refusal as refusal:
            file.reading.say(f"It would be refused: {refusal}", place)
    return good


def zone_of(name: str) -> ZoneInfo:
    """Raises ValueError."""
    try:
        return zones.zone(name)
    except Malformed as error:
        raise ValueError(str(error).replace("kept", "sent")) from None
