"""What an import's reports said of one record, and what had been said of it before."""

from collections.abc import Iterable
from typing import Any

import msgspec

from crm.engine.in_memory import MemoryState
from crm.events import (
    ContactCreated,
    DealAssigned,
    DealChanged,
    DealOpened,
    DealStageMoved,
    ReportRecorded,
    ReportWithdrawn,
)
from crm.scalars import Micros
from crm.shared import Report, WithdrawnReport
from crm.state import Reported, fold, reported_key
from crm.state.reported import EARLIEST, remember

REPORTING = (ContactCreated, DealOpened, DealChanged, DealAssigned, DealStageMoved, ReportRecorded)
IDENTIFIERS = "what it is known by"  # telephones, e-mails and accounts of a card together
encode = msgspec.json.Encoder().encode


class Said:
    """What the import's reports of one record said, and what had been said before."""

    def __init__(self, record: str) -> None:
        self.record = record
        self.state = MemoryState()
        self.before: dict[tuple[str, str], Reported | None] = {}
        self.said: dict[tuple[str, str], dict[str, tuple[int, str]]] = {}
        self.began_at = Micros(0)

    def see(self, event: Any, mine: bool) -> None:
        report: Report | None = event.report if isinstance(event, REPORTING) else None
        if mine and not self.began_at:
            self.began_at = event.meta.recorded_at
        if report and mine and report.record == self.record:
            key = report.system, report.key
            if key not in self.before:
                self.before[key] = self.state.get(Reported, reported_key(self.record, *key))
            said = self.said.setdefault(key, {})
            said.update({name: (report.moment, value) for name, value in report.said.items()})
        if report or isinstance(event, ReportWithdrawn):
            self.take(event)

    def take(self, event: Any) -> None:
        if isinstance(event, ReportWithdrawn):
            fold(self.state, event)
        else:
            card = isinstance(event, ContactCreated | ReportRecorded) and self.record == "contact"
            remember(self.state, event.report, event.meta.occurred_at, event.contact_id if card else None)

    def withdrawn(self, stays: Iterable[str] = ()) -> tuple[WithdrawnReport, ...]:
        """`stays`: values that are kept, and so is what was said of them."""
        kept = {"people" if name == IDENTIFIERS else name for name in stays}
        found = []
        for (system, key), given in self.said.items():
            now, before = self.state.get(Reported, reported_key(self.record, system, key)), self.before[system, key]
            left = {n: pair for n, pair in given.items() if n not in kept and now and now.said.get(n) == pair}
            if left:
                found.append(withdrawn(system, key, left, before))
        return tuple(found)


def withdrawn(system: str, key: str, said: dict[str, tuple[int, str]], before: Reported | None) -> WithdrawnReport:
    return WithdrawnReport(
        system=system,
        key=key,
        said={name: text(pair) for name, pair in said.items()},
        newest=before.newest if before else EARLIEST,
        first=before.first if before else Micros(0),
        before={name: text(before.said[name]) for name in said if before and name in before.said},
        subject=before.subject if before else None,
    )


def text(value: Any) -> str:
    """Returns a value as JSON text."""
    return encode(value).decode()
