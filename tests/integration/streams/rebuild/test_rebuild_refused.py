"""Rebuilds that fail: each says why in a sentence, nothing is swapped, and readers are not affected."""

import asyncio
import signal
from pathlib import Path
from uuid import UUID

import psycopg
import pytest

from crm.envelope import named_id
from crm.errors import Broken, CrmError
from crm.events import ContactCreated, ContactMerged
from crm.rebuilds import CUT_OFF
from projections import PROJECTIONS
from services.stack.process import until
from streams.rebuild.rebuild import ProgressListener, Rebuild, rebuild
from streams.rebuild.write.tables import BUILDING
from tests.support.rebuild_setup import RebuildSetup, cards
from tests.support.workload.journal import SHOP

SESSIONS = """
SELECT pid FROM pg_stat_activity WHERE application_name = 'crm rebuild' AND datname = current_database()"""
DEAL = PROJECTIONS["deal"].table


@pytest.fixture
def replayed(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> RebuildSetup:
    return RebuildSetup(kafka_bootstrap, fresh_database_url, tmp_path)


async def filled(replayed: RebuildSetup, number: int = 4) -> None:
    await replayed.create()
    await replayed.write(cards(0, number))
    await replayed.project()


FOLD = '''"""Two of a kind."""
from crm.envelope import Row
from crm.events import DealOpened
from crm.projection import projection
from crm.scalars import Id

class OrderRow(Row, frozen=True, gc=False):
    """An order."""
    deal_id: Id
    title: str
    number: int

@projection(key="deal_id", version=1)
def order(row: OrderRow | None, event: DealOpened) -> OrderRow | None:
    {body}
'''
GIVES = "return OrderRow(event.deal_id, event.title, event.number)"
BAD = {
    "raises": (
        "if event.number == 2:\n        raise ValueError('no')\n    " + GIVES,
        "line 16) cannot take DealOpened",
    ),
    "wrong type": ("return event.title", "it returns 'Order"),
    "wrong value": (
        GIVES.replace("event.title", "event.number"),
        "('int' object has no attribute 'encode') in column title of row",
    ),
    "nothing": (GIVES.replace("event.number", "None"), "null where a value is required in column number"),
    "zero": (GIVES.replace("event.title", "'a\\0b'"), "Postgres does not store NUL characters"),
}


@pytest.mark.parametrize(("body", "said"), BAD.values(), ids=BAD)
def test_a_fold_that_gives_no_rows(replayed: RebuildSetup, body: str, said: str) -> None:
    file = replayed.folder / "order.py"

    async def run() -> None:
        await replayed.create()
        await replayed.write(cards(0, 4))
        file.write_text(FOLD.replace("{body}", GIVES))
        await replayed.rebuild("order", file=str(file))
        rows = await asyncio.to_thread(replayed.rows, "order")
        assert len(rows) == 4
        file.write_text(FOLD.replace("{body}", body))
        await asyncio.to_thread(replayed.do, "DELETE FROM core.gold")
        with pytest.raises(CrmError) as refused:
            await replayed.rebuild("order", file=str(file))
        assert said in str(refused.value)
        assert "Nothing was swapped" in str(refused.value)
        assert await asyncio.to_thread(replayed.rows, "order") == rows

    asyncio.run(run())


def test_a_fold_that_changed_under_its_version(replayed: RebuildSetup) -> None:
    """The golden records yield other rows than when this version's table was created."""
    file = replayed.folder / "order.py"

    async def run() -> None:
        await replayed.create()
        file.write_text(FOLD.replace("{body}", GIVES))
        await replayed.rebuild("order", file=str(file))
        file.write_text(FOLD.replace("{body}", GIVES.replace("event.number", "event.number + 1")))
        with pytest.raises(Broken) as refused:
            await replayed.rebuild("order", file=str(file))
        assert str(refused.value) == (
            "Projection order has changed and its version is still 1: the golden stream's rows differ in number. "
            "Nothing was changed. Raise its version: the new table is filled from the journal."
        )
        file.write_text(FOLD.replace("{body}", GIVES.replace("event.number", "event.number + 1")).replace("=1", "=2"))
        await replayed.rebuild("order", file=str(file))

    asyncio.run(run())


@pytest.mark.parametrize(
    ("value", "position", "said"),
    [
        (b"\1strange", None, "is not framed: it must begin with a zero byte and a schema id. Nothing was changed."),
        (b"\0\0\0\0\x13", 40, "position 40 follows"),
    ],
)
def test_a_journal_that_cannot_be_folded(replayed: RebuildSetup, value: bytes, position: int | None, said: str) -> None:
    async def run() -> None:
        await filled(replayed)
        await replayed.write_values(3, value, position=position)
        rows = await asyncio.to_thread(replayed.rows, "deal")
        with pytest.raises(CrmError) as refused:
            await replayed.rebuild("deal")
        assert said in str(refused.value)
        assert await asyncio.to_thread(replayed.rows, "deal") == rows

    asyncio.run(run())


def test_events_of_a_newer_release_are_counted(replayed: RebuildSetup) -> None:
    async def run() -> None:
        await filled(replayed)
        at = replayed.next[3]
        await replayed.write_values(3, b"\0" + (9999).to_bytes(4, "big") + b"body")
        outcome = await replayed.rebuild("deal")
        assert outcome.unknown == {9999: (1, 3, at)}

    asyncio.run(run())


MERGED = '''"""How many cards were merged into each."""
from crm.envelope import Row
from crm.events import ContactMerged
from crm.projection import projection
from crm.scalars import Id

class MergedRow(Row, frozen=True, gc=False):
    """A card that stays."""
    into_id: Id
    cards: int

@projection(key="into_id", version=1)
def merged(row: MergedRow | None, event: ContactMerged) -> MergedRow | None:
    return MergedRow(event.into_id, row.cards + 1 if row else 1)
'''


def test_rows_that_several_partitions_feed_are_folded_by_one_process(replayed: RebuildSetup) -> None:
    """Each process would make a part of the row: the primary key reveals it, and everything is folded again."""
    steps: list[str] = []
    file = replayed.folder / "merged.py"
    file.write_text(MERGED)
    stays = named_id(SHOP, "stays")
    events = [ContactMerged(e.meta, e.contact_id, stays, "") for e in cards(0, 40) if isinstance(e, ContactCreated)]

    async def run() -> None:
        await replayed.create()
        await replayed.write(events)
        await rebuild(replayed.plan("merged", file=str(file)), ProgressListener(step=steps.append))
        assert await asyncio.to_thread(replayed.rows, "merged") == [(UUID(SHOP), UUID(stays), 40)]

    asyncio.run(run())
    (step,) = [step for step in steps if "in several partitions" in step]
    assert step.endswith("folding all partitions in one process")


def test_readers_in_the_way_are_waited_for(replayed: RebuildSetup) -> None:
    """A long query runs: the swap releases its lock again and again, so that other readers continue."""
    tries: list[str] = []

    async def run() -> None:
        await filled(replayed)
        with psycopg.connect(replayed.dsn) as reader:
            reader.execute("SELECT count(*) FROM read.deal")
            plan = replayed.plan("deal", compare=False)
            run_ = Rebuild(plan, ProgressListener(step=tries.append))
            swapping_ = asyncio.create_task(run_.run())

            async def several() -> str | None:
                return None if swapping_.done() or run_.tries > 1 else "not tried twice"

            await until(several, 180)
            assert not swapping_.done()
            reader.rollback()
            assert (await swapping_).waiting == ()

    asyncio.run(run())


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_killed_in_the_middle(replayed: RebuildSetup, number: signal.Signals) -> None:
    """What is read is as it was, the processes are gone, and the next run starts from scratch."""

    async def run() -> None:
        await filled(replayed, 300)
        rows = await asyncio.to_thread(replayed.rows, "deal")

        async def under_way() -> str | None:
            found = await asyncio.to_thread(replayed.do, f"SELECT to_regclass('{BUILDING}.{DEAL}')")
            return None if found != [(None,)] else "no table is built yet"

        async with replayed.process("deal") as process:
            await until(under_way, 180)
            process.send_signal(number)
            await process.wait()
        assert await asyncio.to_thread(replayed.rows, "deal") == rows

        async def alone() -> str | None:
            left = await asyncio.to_thread(replayed.do, SESSIONS)
            return f"{left} at work" if left else None

        await until(alone, 180)
        await replayed.rebuild("deal")
        assert await asyncio.to_thread(replayed.rows, "deal") == rows
        kept = "SELECT problem FROM core.rebuild WHERE ended_at IS NOT NULL ORDER BY id"
        assert await asyncio.to_thread(replayed.do, kept) == [(CUT_OFF,), ("",)]

    asyncio.run(run())


def test_a_projection_that_does_not_exist(replayed: RebuildSetup) -> None:
    with pytest.raises(CrmError, match=r"There is no projection nothing\. There are: assignment_rules, call, "):
        asyncio.run(replayed.rebuild("nothing"))
