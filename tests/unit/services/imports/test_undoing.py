"""An undo that is killed goes on where it was: each card goes once, and is counted and named once."""

import asyncio
import csv
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import msgspec
import pytest
from msgspec.structs import replace

from crm.adapters.postgres.history_of_sources import Streams
from crm.contract.codec import decode
from crm.decisions.commands import COMMANDS
from crm.decisions.commands.contact_change import ContactChange
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.events import ContactCreated, ContactRemoved, ImportUndoBegan, ImportUndone
from crm.imports import Status, Undo
from crm.log import Record
from crm.scalars import Id
from services.imports.undo import undoing
from services.imports.undo.undoing import Undoing
from tests.support.import_undo import undone_count
from tests.support.imports import Crm, opened
from tests.support.scenarios import SHOP, meta

ROWS, KEPT = 20, 7
PEOPLE = "Код,ПІБ\n" + "".join(f"{n},Олена {n}\n" for n in range(ROWS))


class Killed(Exception):
    """The process ends here."""


class Role:
    """The role with decide, its state and its history in memory."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.crm, self.reading, self.file = Crm(), opened(folder, PEOPLE), folder / "kept"
        self.crm.run(self.reading)
        for n, event in enumerate(self.crm.events(ContactCreated)[:KEPT]):
            change = ContactChange(meta=replace(meta(f"c{n}"), actor="ivan"), contact_id=event.contact_id, name="Ольга")
            self.crm.decide.carry_out(COMMANDS["contact_change"], change)
        self.stored = msgspec.json.encode(Status(self.reading.request.id))
        role, decide = self, self.crm.decide

        async def known(*_: object) -> None: ...

        async def streams_of(_: object, __: Id, sources: Sequence[Id]) -> Streams:
            found = Streams()
            for stream in sorted({event.meta.stream for event in decide.journal if event.meta.source in sources}):
                found.ids += UUID(stream).bytes
            return found

        async def of_streams(_: object, types: frozenset[type[Event]], __: Id, streams: Sequence[Id]) -> list[Event]:
            return [event for event in decide.journal if type(event) in types and event.meta.stream in streams]

        async def undecided(_: object, ids: Sequence[Id]) -> int:
            return len(set(ids) - decide.seen.keys())

        class Trial:
            def __init__(self, _: object) -> None:
                self.decide_in = MemoryDecide()
                self.decide_in.states[SHOP].things = dict(decide.states[SHOP].things)
                self.decide_in.seen = dict(decide.seen)

            def __enter__(self) -> Self:
                return self

            def __exit__(self, *_: object) -> None: ...

            async def decide(self, facts: Sequence[Fact]) -> list[Any]:
                return [self.decide_in.take(fact) or None for fact in facts]

        async def none(_: object, *__: object) -> int:
            return 0

        monkeypatch.setattr(undoing, "wait_until_known", known)
        for name in ("unprojected", "heads", "behind"):
            monkeypatch.setattr(undoing, name, none)
        monkeypatch.setattr(undoing, "streams_of", streams_of)
        monkeypatch.setattr(undoing, "of_streams", of_streams)
        monkeypatch.setattr(undoing, "undecided", undecided)
        monkeypatch.setattr(undoing, "Trial", Trial)
        monkeypatch.setattr(undoing, "STREAMS", 3)
        self.sent, self.dies_after_sent = 0, -1
        self.log: Any = role

    async def send(self, *records: Record) -> None:
        for record in records:
            if self.sent == self.dies_after_sent:
                raise Killed
            self.sent += 1
            self.crm.decide.take(decode(record.value or b""))

    async def run(self, dies_after: int = -1, check: bool = False) -> Undo:
        status, reports = msgspec.json.decode(self.stored, type=Status), 0

        async def report() -> None:
            nonlocal reports
            if reports == dies_after:
                raise Killed
            reports += 1
            self.stored = msgspec.json.encode(status)

        count = undone_count(self.crm, self.reading)
        work = Undoing(self.reading.request, status, count, self.file, report, lambda: False)
        nowhere: Any = None  # Postgres is not needed
        with closing(work.kept):
            await (work.check(nowhere) if check else work.run(nowhere, self.log))
        return work.undo


@pytest.mark.parametrize("dies_after_sent", [-1, 0, 1, 2, 4, 9, 13, ROWS - KEPT, ROWS - KEPT + 1])
@pytest.mark.parametrize("dies_after", [-1, 0, 1, 2, 5, 7])
def test_a_killed_undo_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_after: int, dies_after_sent: int
) -> None:
    async def test() -> None:
        role = Role(tmp_path, monkeypatch)
        checked = await role.run(check=True)
        assert (checked.contacts, checked.kept, checked.number) == (ROWS - KEPT, KEPT, 0)
        role.stored, role.dies_after_sent = msgspec.json.encode(Status(role.reading.request.id)), dies_after_sent
        try:
            await role.run(dies_after)
        except Killed:
            role.file.unlink(missing_ok=True)  # it was in a folder of the process
        role.dies_after_sent = -1
        done = await role.run()
        assert (done.contacts, done.set_back, done.kept, done.number) == (ROWS - KEPT, 0, KEPT, 1)
        assert len(role.crm.events(ContactRemoved)) == ROWS - KEPT
        assert [event.number for event in role.crm.events(ImportUndoBegan)] == [1]
        assert [(event.removed, event.kept) for event in role.crm.events(ImportUndone)] == [(ROWS - KEPT, KEPT)]
        header, *kept = csv.reader(role.file.read_text("utf-8-sig").splitlines())
        assert header == ["record", "id", "name", "reason"]
        assert sorted(one[1] for one in kept) == sorted(one.id for one in done.reasons)
        assert {one[3] for one in kept} == {"It was renamed to 'Ольга' by ivan on 2026-01-01."}

    asyncio.run(test())
