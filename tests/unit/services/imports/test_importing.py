"""A run goes on at the row where it was cut off: each row is sent, counted and kept once, wherever that was."""

import asyncio
import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import msgspec
import pytest

from crm.adapters.memory.log import MemoryLog
from crm.contract.codec import decode
from crm.envelope import Fact
from crm.imports import Status
from crm.scalars import Id
from services.imports import importing
from services.imports.importing import CHUNK, Importing
from services.imports.reading import Reading
from services.imports.table import NoTable
from services.intake.records import OPEN
from tests.support.imports import facts, opened

ROWS = 4 * CHUNK + 17
BAD = 3 * CHUNK + 5  # a row whose telephone has a cell too many
TEXT = "ID,Name,Phone\n" + "".join(
    f"{n},Ann {n},067 {n:07}{',x' if n == BAD else ''}\n" if n % 400 else f"{n},,\n" for n in range(ROWS)
)


class Killed(Exception):
    """The process ends here."""


class Role:
    """The state of a role that is killed and started again: what Kafka has and what the place of files has."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.reading: Reading = opened(folder, TEXT)
        self.log, self.stored = MemoryLog(), msgspec.json.encode(Status(self.reading.request.id))
        self.failed, self.quarantine = folder / "failed", set[Id]()
        self.seen, self.read = set[Id](), 0

        async def undecided(_: Any, ids: Sequence[Id]) -> int:
            return len(set(ids) - self.decided)

        async def quarantined(_: Any, __: Id, ids: Sequence[Id]) -> set[Id]:
            return self.quarantine & set(ids)

        async def nothing(*_: Any) -> int:
            return 0

        class Trial:
            """What decide would do with the first rows."""

            def __init__(self, _: object) -> None: ...
            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None: ...
            async def decide(self, facts: Sequence[Fact]) -> list[Any]:
                return [role.outcome for _ in facts]

        self.outcome: Any = None
        role = self
        monkeypatch.setattr(importing, "Trial", Trial)
        monkeypatch.setattr(importing, "undecided", undecided)
        monkeypatch.setattr(importing, "quarantined", quarantined)
        for name in ("unprojected", "heads", "behind"):
            monkeypatch.setattr(importing, name, nothing)
        monkeypatch.setattr(importing, "REPORT_SECONDS", 0)

    async def run(self, dies_after: int = -1, cancelled_after: int = -1) -> Status:
        """`dies_after`: so many reports of its status."""
        status, reports = msgspec.json.decode(self.stored, type=Status), 0

        async def report() -> None:
            nonlocal reports
            if reports == dies_after:
                raise Killed
            reports += 1
            self.stored = msgspec.json.encode(status)

        unread: Any = None  # no Postgres is asked
        work = Importing(self.reading, status, self.failed, report, lambda: 0 <= cancelled_after <= reports)
        with closing(work.failed):
            await work.run(unread, self.log)
        return status

    @property
    def decided(self) -> set[Id]:
        """Decide is as fast as Kafka."""
        known = self.log.topics[OPEN]
        self.seen.update(decode(record.value or b"").meta.id for record in known[self.read :])
        self.read = len(known)
        return self.seen

    def sent(self) -> list[Id]:
        return [decode(record.value or b"").meta.id for record in self.log.topics[OPEN]]


@pytest.mark.parametrize("dies_after", range(6))
def test_a_killed_run_goes_on_at_its_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_after: int) -> None:
    async def test() -> None:
        role = Role(tmp_path, monkeypatch)
        ids = [fact.meta.id for fact in facts(role.reading)]
        role.quarantine = {ids[3], ids[-1]}
        try:
            await role.run(dies_after)
        except Killed:
            role.failed.unlink(missing_ok=True)  # it was in a folder of the process
        status = await role.run()
        assert status.counts.rows == ROWS
        assert (status.counts.skip, status.counts.error) == (6, 3)
        assert status.decided == len(ids) == ROWS - 6 - 1
        assert role.sent() == ids  # what was decided when it died is not even sent again
        header, *rows = csv.reader(role.failed.read_text("utf-8-sig").splitlines())
        assert header == ["ID", "Name", "Phone", "reason"]
        assert rows[0] == ["4", "Ann 4", "067 0000004", importing.IN_QUARANTINE]
        assert rows[1][:3] == [f"{BAD}", f"Ann {BAD}", f"067 {BAD:07}"] and rows[1][4] == "x"
        assert len(rows) == 3 and [reason.row for reason in status.reasons] == [6, BAD + 2, ROWS + 1]

    asyncio.run(test())


def test_a_cancelled_run_stops_with_what_is_decided(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        role = Role(tmp_path, monkeypatch)
        status = await role.run(cancelled_after=2)
        assert status.counts.rows == 2 * CHUNK
        assert status.decided == len(role.sent()) < ROWS
        await role.run()
        assert role.sent() == [fact.meta.id for fact in facts(role.reading)]
        await role.run()
        assert len(role.sent()) == len(facts(role.reading))  # the same file again

    asyncio.run(test())


def test_a_file_of_which_nothing_can_be_taken_fills_no_quarantine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    role = Role(tmp_path, monkeypatch)
    role.outcome = RuntimeError("no such type")
    with pytest.raises(
        NoTable, match=r"None of its first 498 rows can be taken: .*no such type.* Nothing was imported"
    ):
        asyncio.run(role.run())
    assert role.sent() == []


def test_a_corrected_file_of_refused_rows_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        role = Role(tmp_path, monkeypatch)
        await role.run()
        (fact,) = facts(opened(tmp_path, role.failed.read_bytes().replace(b",x", b"")))
        assert (fact.key, fact.name, fact.fields) == (str(BAD), f"Ann {BAD}", {})

    asyncio.run(test())
