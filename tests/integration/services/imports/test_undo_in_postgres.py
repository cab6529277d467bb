"""The whole way of an undo but for Kafka: facts are decided, projected and read again in a real Postgres."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import AsyncConnection

from crm.contract.codec import decode
from crm.engine.decide_batch import Arrived, decide
from crm.envelope import Event, Fact
from crm.imports import Status, Undo
from crm.log import Record
from projections import PROJECTIONS
from services.imports.__main__ import undone_count
from services.imports.reading import Reading
from services.imports.undo import undoing
from services.imports.undo.undoing import Undoing
from streams.project import Project
from tests.integration.crm.engine.test_deciding import SLICES, begin
from tests.support.imports import facts, opened
from tests.support.project_role import ProjectRole
from tests.support.records import journal, open_connection
from tests.support.scenarios import SHOP, form, paid, shop

DEALS = "id,Угода,Сума,ПІБ,Телефон,Пошта,Етап,Місто\n" + "".join(
    f"{n},Вікна {n},{n + 1},Олена {n % 7},067 000 00 0{n % 7},u{n % 5}@x.ua,{'won' if n % 3 else 'new'},Львів\n"
    for n in range(40)
)
DEAL = "deal_id, contact_id, number, title, amount_minor, paid_minor, stage, owner, owner_reason, reference, fields"
CARD = "contact_id, name, source, phones, emails, accounts, fields, doubted, created_at"


class Stack:
    """Decide and project, one after the other, on one connection; the role has another."""

    def __init__(self, conn: AsyncConnection[Any], dsn: str) -> None:
        self.conn, self.dsn = conn, dsn

    async def send(self, *records: Record) -> None:
        await self.take([decode(record.value or b"") for record in records])

    async def take(self, given: Sequence[Fact]) -> None:
        async with self.conn.transaction():
            await decide(self.conn, [Arrived(fact) for fact in given])
        await self.project()

    async def project(self) -> None:
        role = ProjectRole(self.conn)
        role.consumption.handler = Project(PROJECTIONS.values(), with_history=True)
        role.consumers = role.consumption.handler.consumers
        await (await role.start()).catch_up(journal(await self.events()))

    async def events(self) -> list[Event]:
        found = await self.conn.execute(f"SELECT o.id, packed FROM {SLICES} ORDER BY o.id, partition")
        return [decode(p[-1]) for _, records in await found.fetchall() for p in msgspec.msgpack.decode(records)]

    async def rows(self) -> tuple[list[Any], list[Any], list[Any]]:
        cards = await self.conn.execute(f"SELECT {CARD} FROM read.contact ORDER BY contact_id")
        deals = await self.conn.execute(f"SELECT {DEAL} FROM read.deal ORDER BY deal_id")
        states = "SELECT key FROM core.state WHERE key ~ '^(Contact|Deal|Identity|Reported|DealNumber)/' ORDER BY key"
        return await cards.fetchall(), await deals.fetchall(), await (await self.conn.execute(states)).fetchall()

    async def undo(self, folder: Path, reading: Reading, check: bool = False) -> Undo:
        async def report() -> None: ...

        count = await undone_count(self.conn, SHOP, reading.request.id)
        status = Status(reading.request.id)
        work = Undoing(reading.request, status, count, folder / "kept", report, lambda: False)
        log: Any = self
        with closing(work.kept):
            async with await open_connection(self.dsn) as own:
                await (work.check(own) if check else work.run(own, log))
        return work.undo


def test_deals_and_their_contacts_go_and_come_again(
    tmp_path: Path, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def known(*_: object) -> None: ...

    monkeypatch.setattr(undoing, "wait_until_known", known)
    monkeypatch.setattr(undoing, "STREAMS", 3)

    async def run() -> None:
        async with await open_connection(fresh_database_url) as conn:
            await begin(conn, SHOP, shop())
            stack = Stack(conn, fresh_database_url)
            await stack.take([form("1", phones=["+380670000001"], name="Іван"), form("2", emails=("u2@x.ua",))])
            before = await stack.rows()
            reading = opened(tmp_path, DEALS)
            rows = facts(reading)
            for n in range(0, len(rows), 9):
                await stack.take(rows[n : n + 9])
            imported = await stack.rows()
            assert len(imported[1]) == 42
            checked = await stack.undo(tmp_path, reading, check=True)
            assert await stack.rows() == imported
            done = await stack.undo(tmp_path, reading)
            assert (done.deals, done.contacts, done.set_back, done.kept) == (
                checked.deals, checked.contacts, checked.set_back, checked.kept,
            )  # fmt: skip
            assert (done.deals, done.kept, done.number) == (40, 0, 1)
            assert await stack.rows() == before
            length = len(await stack.events())
            assert (await stack.undo(tmp_path, reading)).removed == 0
            assert len(await stack.events()) == length
            again = facts(replace(reading, generation=await undone_count(conn, SHOP, reading.request.id)))
            for n in range(0, len(again), 9):
                await stack.take(again[n : n + 9])
            assert await stack.rows() == imported
            await stack.take([paid("1", 100, purpose="D-5")])
            last = await stack.undo(tmp_path, reading)
            assert (last.deals, last.kept, last.number) == (39, 1, 2)
            assert [one.name.partition(" ")[0] for one in last.reasons] == ["D-5"]

    asyncio.run(run())
