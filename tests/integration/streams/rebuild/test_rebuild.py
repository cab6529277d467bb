"""A rebuild on real Kafka and Postgres: the new rows are those of the project role, readers never notice the swap."""

import asyncio
import threading
from pathlib import Path

import psycopg
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import RecordsToDelete

from crm.adapters.postgres import history
from crm.engine.state_fold import remember
from crm.errors import Broken
from crm.events import DealOpened
from projections import PROJECTIONS
from services.cli.rebuild_all import exchange
from services.stack.topics import Admin
from streams.rebuild.compare.verify import verify
from streams.rebuild.from_empty import drop, from_empty
from streams.rebuild.rebuild import ProgressListener, rebuild_lock
from streams.rebuild.rollback import drop_old, roll_back
from tests.integration.streams.replay.test_replay import publish
from tests.support.first_quarter import archive, records
from tests.support.isolated_journal import IsolatedJournal
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.records import open_connection

NAMES = ("contact", "deal", "timeline")
CONTACT, DEAL = PROJECTIONS["contact"].table, PROJECTIONS["deal"].table


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


def test_it_gives_the_rows_of_the_project_role(replayed: RebuildSetup) -> None:
    """Even if records are compressed or repeated."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 20))
        await replayed.write(cards(20, 10), repeat=True)
        await replayed.write(cards(20, 30), compression="gzip")
        await replayed.project()
        live = {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES}
        await asyncio.to_thread(replayed.do, f"DELETE FROM read.{DEAL} WHERE number < 3")
        await asyncio.to_thread(replayed.do, f"UPDATE read.{CONTACT} SET name = 'nobody' WHERE name LIKE '% 4'")
        outcome = await replayed.rebuild(*NAMES)
        assert {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES} == live
        assert outcome.projections == {CONTACT: 50, DEAL: 50, PROJECTIONS["timeline"].table: 50 * 17}
        assert outcome.events == 50 * 17
        counts = {name: (r.equal, r.changed, r.only_here, r.only_there) for name, r in outcome.reports.items()}
        assert counts == {"contact": (49, 1, 0, 0), "deal": (47, 0, 0, 3), "timeline": (850, 0, 0, 0)}
        assert [e.columns["name"] for e in outcome.reports["contact"].examples] == [["nobody", "Olena Kovalenko 4"]]
        kept = (
            "SELECT names, problem, events, reports -> 'deal' ->> 'only_there' FROM core.rebuild WHERE ended_at < now()"
        )
        assert await asyncio.to_thread(replayed.do, kept) == [([*NAMES], "", 850, "3")]
        places = f"SELECT sum(position + 1) FROM core.checkpoint WHERE consumer = '{DEAL}'"
        assert await asyncio.to_thread(replayed.do, places) == [(850,)]

    asyncio.run(run())


def test_two_of_one_name_at_once(replayed: RebuildSetup) -> None:
    async def run() -> None:
        await replayed.create()
        with pytest.raises(Broken) as refused:
            await replayed.rebuild("call", "deal")
        assert str(refused.value) == (
            "Another rebuild of deal is running. This one has changed nothing; the other one continues. "
            "Run it again when the other one is done."
        )

    with rebuild_lock(replayed.dsn, ["deal"]):
        asyncio.run(run())


def test_the_same_version_again_and_back(replayed: RebuildSetup) -> None:
    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 5))
        await replayed.project()
        good = await asyncio.to_thread(replayed.rows, "deal")
        await asyncio.to_thread(replayed.do, f"DELETE FROM read.{DEAL} WHERE number = 2")
        bad = await asyncio.to_thread(replayed.rows, "deal")
        await replayed.rebuild("deal", compare=False)
        assert await asyncio.to_thread(replayed.rows, "deal") == good
        for expected in (bad, good):
            await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
            assert await asyncio.to_thread(replayed.rows, "deal") == expected
        assert await asyncio.to_thread(drop_old, replayed.dsn, ["deal"]) == [f"Dropped before.{DEAL}."]
        with pytest.raises(Broken) as refused:
            await asyncio.to_thread(roll_back, replayed.dsn, ["deal"])
        assert str(refused.value) == ("deal cannot be rolled back: no earlier table is kept. Nothing was changed.")

    asyncio.run(run())


def test_verify_finds_rows_that_differ_from_the_journal(replayed: RebuildSetup) -> None:
    """And changes nothing: wrong rows are still wrong afterwards, and no table is left over."""

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 10))
        await replayed.project()
        assert (await verify(replayed.plan(*NAMES))).same
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname IN ('read', 'verifying', 'building', 'before')"
        before = await asyncio.to_thread(replayed.do, tables)
        await asyncio.to_thread(replayed.do, f"UPDATE read.{DEAL} SET stage = 'lost' WHERE number = 3")
        await asyncio.to_thread(replayed.do, f"DELETE FROM read.{CONTACT} WHERE name LIKE '% 5'")
        found = await verify(replayed.plan(*NAMES))
        counts = {name: (r.equal, r.changed, r.only_here, r.only_there) for name, r in found.reports.items()}
        assert counts == {"contact": (9, 0, 0, 1), "deal": (9, 1, 0, 0), "timeline": (170, 0, 0, 0)}
        assert found.reports["deal"].examples[0].columns == {"stage": ["lost", "won"]}
        assert await asyncio.to_thread(replayed.do, tables) == before
        assert await asyncio.to_thread(replayed.do, f"SELECT stage FROM read.{DEAL} WHERE number = 3") == [("lost",)]

    asyncio.run(run())


def test_all_of_postgres_from_kafka_alone(replayed: RebuildSetup) -> None:
    """Every table of the new database has the checksum of the present one, which decided the events itself."""

    async def run() -> None:
        journal = IsolatedJournal(replayed.bootstrap, replayed.dsn)
        replayed.topic = journal.topic
        await journal.create_topics()
        events = cards(0, 12)
        async with journal.relaying() as relay:
            for n in range(0, len(events), 20):
                await journal.commit(*events[n : n + 20])
            await journal.published(relay)
        await replayed.project(tuple(PROJECTIONS))
        async with await open_connection(replayed.dsn) as conn:
            await remember(conn, events)
            causes = sorted({event.meta.cause for event in events})
            await conn.execute("INSERT INTO core.fact_seen SELECT unnest(%s::uuid[])", [causes])
        async with await open_connection(replayed.dsn) as conn:  # as the project role does
            for records_ in (await journal.records()).values():
                await history.keep(conn, records_)
        budget = 1 << 20
        found = await from_empty(
            replayed.bootstrap, replayed.dsn, 2, budget, ProgressListener(), replayed.topic, journal.commit_log
        )
        try:
            assert found.made == found.present
            assert found.made["core.history"][0] == found.outcome.events == len(events)
            assert found.made[f"read.{DEAL}"][0] == 12
            async with await open_connection(replayed.dsn):
                with pytest.raises(RuntimeError, match=r"is in use: .* It was not changed\. Stop the roles"):
                    exchange(replayed.dsn, found.database)
            kept = await asyncio.to_thread(exchange, replayed.dsn, found.database)
            await asyncio.to_thread(drop, replayed.dsn, kept)
        finally:
            await asyncio.to_thread(drop, replayed.dsn, found.database)
        deal = next(event for event in events if isinstance(event, DealOpened))
        async with await open_connection(replayed.dsn) as conn:  # the new one, under the old one's name
            past = await history.of_row(conn, PROJECTIONS["deal"], deal.meta.workspace, deal.deal_id)
        assert past[0] == deal

    asyncio.run(run())


@pytest.mark.parametrize("budget", [1, 20_000])
def test_rows_beyond_the_memory_budget_wait_in_postgres(replayed: RebuildSetup, budget: int) -> None:
    async def run() -> None:
        await replayed.create()
        await replayed.write(
            event for several in zip(*(cards(n, 1) for n in range(60)), strict=True) for event in several
        )
        await replayed.project()
        live = {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES}
        await replayed.rebuild(*NAMES, budget=budget, compare=False)
        assert {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES} == live

    asyncio.run(run())


def test_under_load_no_read_fails_or_sees_half(replayed: RebuildSetup) -> None:
    """While events come in and the project role works, the rows are rebuilt twice: each read sees all deals that
    existed before it, and no event is lost or folded twice at the swap."""
    seen: list[int] = []
    reading = threading.Event()

    def read() -> None:
        with psycopg.connect(replayed.dsn, autocommit=True) as conn:
            while not reading.is_set():
                ((count,),) = conn.execute("SELECT count(*) FROM read.deal").fetchall()
                seen.append(count)

    async def write(stop: asyncio.Event) -> None:
        n = 100
        while not stop.is_set():
            await replayed.write(cards(n, 5))
            await replayed.projected()  # no faster than the role is
            n += 5

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 100))
        async with replayed.projecting(NAMES):
            await replayed.projected()
            thread, stop = threading.Thread(target=read), asyncio.Event()
            thread.start()
            writing = asyncio.create_task(write(stop))
            try:
                for _ in range(2):
                    outcome = await replayed.rebuild(*NAMES)
                    assert all(report.same for report in outcome.reports.values())
            finally:
                stop.set()
                await writing
                reading.set()
                await asyncio.to_thread(thread.join)
            await replayed.projected()
        assert (await verify(replayed.plan(*NAMES))).same
        assert seen[0] >= 100
        assert seen == sorted(seen)

    asyncio.run(run())


def test_old_history_comes_from_an_archive_when_kafka_no_longer_has_it(replayed: RebuildSetup, tmp_path: Path) -> None:
    parts = records(cards(0, 40))
    halves = {p: every[: -(-len(every) // 2)] for p, every in parts.items()}
    folder = archive(tmp_path / "archive", halves)

    async def run() -> None:
        await publish(replayed.bootstrap, replayed.topic, parts)
        await replayed.project()
        live = {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES}
        async with Admin(replayed.bootstrap) as admin:
            gone = {TopicPartition(replayed.topic, p): RecordsToDelete(len(half)) for p, half in halves.items()}
            await admin.delete_records(gone)
        with pytest.raises(Broken, match="the topic's beginning is gone"):
            await replayed.rebuild(*NAMES)
        for share in (folder, archive(tmp_path / "whole", parts)):
            outcome = await replayed.rebuild(*NAMES, archive=str(share))
            assert {name: await asyncio.to_thread(replayed.rows, name) for name in NAMES} == live
            assert {r.equal for r in outcome.reports.values()} == {len(rows) for rows in live.values()}

    asyncio.run(run())
