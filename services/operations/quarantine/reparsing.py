"""Reparses and discards quarantined deliveries: oldest first, and those of one sender one after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from msgspec import Struct
from psycopg import AsyncConnection

from crm.adapters.kafka.reading import RecordReader
from crm.errors import NotYet
from crm.log import Log
from crm.rereads import Entry
from crm.scalars import Id
from services.operations.quarantine.entries import EntryFilter, current_states, find_entries
from services.operations.quarantine.rereading import Attempt, Operator, attempt, discarded

PAGE = 200  # entries whose bytes are held in memory at once
PATIENCE = 30.0  # seconds until decide and project have processed what was sent
HELD = "An earlier delivery of the same sender failed again. This one waits for it, to keep their order."
SEEN = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"


class Outcome(Struct, frozen=True, gc=False):
    """The result for one entry: its status, the number of attempts, and why it is still waiting, if so."""

    id: Id
    status: str
    attempts: int
    reason: str = ""


Report = Callable[[Outcome], None]


async def reparse(
    conn: AsyncConnection, places: RecordReader, log: Log, entries: Sequence[Entry], by: Operator, report: Report
) -> None:
    """Reparses the entries and reports each outcome. Idempotent: can be interrupted, repeated, and run twice at once.

    Raises NotYet when no role processes what it sends.
    """
    stuck: set[str] = set()
    for at in range(0, len(entries), PAGE):
        left = [one async for one in attempts(conn, places, entries[at : at + PAGE], by, report)]
        while left:
            wave, left = first_of_each_sender(left)
            for one in wave:
                if one.senders & stuck:
                    report(Outcome(one.entry.id, "waiting", one.tried, HELD))
            free = [one for one in wave if not one.senders & stuck]
            for one in free:
                if one.facts:
                    await log.send(*one.facts)
                await log.send(one.verdict)  # last: until then the attempt does not count
            for one, entry in zip(free, await decided(conn, free), strict=True):
                reason = entry.reason if entry.status == "waiting" else ""
                report(Outcome(entry.id, entry.status, entry.attempts, reason))
                if entry.status == "waiting":
                    stuck |= one.senders


async def discard(conn: AsyncConnection, log: Log, entries: Sequence[Entry], reason: str, by: Operator) -> list[Entry]:
    """Discards the entries and returns their new state. Entries released meanwhile stay released. Raises NotYet."""
    before = await current_states(conn, entries)
    for entry in entries:
        if not before[entry.id].status:
            await log.send(discarded(entry, before[entry.id].attempts, reason, by))
    return await settled(conn, entries, lambda entry: entry.status != "waiting")


async def attempts(
    conn: AsyncConnection, places: RecordReader, entries: Sequence[Entry], by: Operator, report: Report
) -> AsyncIterator[Attempt]:
    """Yields an attempt for each entry that is still waiting and readable from Kafka; reports the others."""
    before = await current_states(conn, entries)
    for entry in entries:
        known = before[entry.id]
        if known.status:
            report(Outcome(entry.id, known.status, known.attempts, "It was closed before."))
            continue
        try:
            record = await places.record(entry.topic, entry.partition, entry.offset)
        except NotYet as why:
            report(Outcome(entry.id, "waiting", known.attempts, str(why)))
            continue
        yield attempt(entry, known.attempts, record, by)


def first_of_each_sender(pending: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
    """Returns the attempts without an earlier one of the same sender, and the others, both in order."""
    first: list[Attempt] = []
    rest: list[Attempt] = []
    taken: set[str] = set()
    for one in pending:
        (rest if one.senders & taken else first).append(one)
        taken |= one.senders
    return first, rest


async def decided(conn: AsyncConnection, sent: Sequence[Attempt]) -> list[Entry]:
    """Waits until all facts and verdicts were decided and projected. Returns the entries."""
    tried = {one.entry.id: one.tried for one in sent}
    ids = sorted({id for one in sent for id in one.ids})

    async def taken() -> bool:
        row = await (await conn.execute(SEEN, [ids])).fetchone()
        return row == (len(ids),)

    await until(taken, f"{len(sent)} deliveries were sent")
    entries = [one.entry for one in sent]
    return await settled(conn, entries, lambda entry: entry.status != "waiting" or entry.attempts > tried[entry.id])


async def settled(conn: AsyncConnection, entries: Sequence[Entry], done: Callable[[Entry], bool]) -> list[Entry]:
    """Waits until `done` holds for all entries. Returns them in the same order."""
    now: dict[Id, Entry] = {}
    ids = tuple(entry.id for entry in entries)

    async def all_done() -> bool:
        found = await find_entries(conn, EntryFilter(ids=ids, status="all")) if ids else []
        now.update({entry.id: entry for entry in found})
        return all(done(now[entry.id]) for entry in entries)

    await until(all_done, f"{len(entries)} deliveries were sent and decided")
    return [now[entry.id] for entry in entries]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await true():
        if time.monotonic() > deadline:
            raise NotYet(
                f"{what} but did not show up within {PATIENCE:g} s. Nothing is lost: check with `crm status` that "
                "decide, relay and project are running, then run this again."
            )
        await asyncio.sleep(0.02)
