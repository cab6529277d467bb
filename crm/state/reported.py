"""What a source said of a record that it keeps under a key of its own: the newest of each field, in any order."""

from collections.abc import Mapping

import msgspec

from crm.scalars import Id, Micros
from crm.shared import Report
from crm.state.entity import Entity, State
from crm.state.keys import key

EARLIEST = -(2**63)  # before all moments
WHY_NOT = "?"  # begins the name under which is kept why a value of that field was not taken


class Reported(Entity, frozen=True, gc=False, omit_defaults=True):
    """Maxima and minima only, so that no order of events changes it. Key: `reported_key` of the record."""

    said: dict[str, tuple[int, str]] = {}  # noqa: RUF012  # by field: the moment, and what, as JSON text
    newest: int = EARLIEST  # moment of the newest report
    first: Micros = Micros(0)  # the earliest time at which a report occurred
    subject: Id | None = None  # the smallest id of the cards that it was found to be, of a contact

    def value(self, name: str) -> str | None:
        """JSON text; None when it was never given."""
        found = self.said.get(name)
        return found[1] if found else None

    @property
    def values(self) -> dict[str, str]:
        """All that was said, as JSON text."""
        return {name: text for name, (_, text) in self.said.items()}

    def text(self, name: str) -> str:
        """The text that was given; empty when none was."""
        found = self.value(name)
        return str(msgspec.json.decode(found)) if found else ""

    @property
    def merged_into(self) -> str:
        """The key that it was merged into; empty when it stands for itself."""
        return self.text("merged_into")

    @property
    def deleted(self) -> bool:
        """Its source deleted it, and nothing newer was reported."""
        moment, value = self.said.get("deleted", (EARLIEST, "false"))
        return value == "true" and self.newest <= moment

    @property
    def doubts(self) -> tuple[str, ...]:
        """A sentence for each value that was not taken, unless a newer one was."""
        return tuple(
            self.text(name)
            for name in sorted(self.said)
            if name[0] == WHY_NOT and self.said[name][0] >= self.said.get(name[1:], (EARLIEST, ""))[0]
        )

    def with_(self, moment: int, values: Mapping[str, str], at: Micros, subject: Id | None = None) -> "Reported":
        """Together with a report that occurred `at`. Of two values of one moment the larger counts."""
        said = self.said.copy()
        for name, text in values.items():
            if (new := (moment, text)) > said.get(name, LEAST):
                said[name] = new
        return Reported(
            said,
            max(self.newest, moment),
            min(self.first, at) if self.newest > EARLIEST else at,
            min(self.subject, subject) if self.subject and subject else self.subject or subject or None,
        )


LEAST = (EARLIEST, "")


def reported_key(record: str, system: str, name: str) -> str:
    return key(f"{record}/{system}:{name}")


def remember(state: State, report: Report | None, at: Micros, subject: Id | None = None) -> None:
    """For folds: takes in what an event carries of a report."""
    if report:
        name = reported_key(report.record, report.system, report.key)
        before = state.get(Reported, name) or Reported()
        state.put(name, before.with_(report.moment, report.said, at, subject))
