"""Takes quarantined deliveries up again: the oldest first, and what one sender told one after the other."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from msgspec import Struct
from psycopg import AsyncConnection

from crm.adapters.kafka.point_reads import Places
from crm.errors import NotYet
from crm.log import Log
from crm.scalars import Id
from services.operations.quarantine.entries import Entry, Wanted, listed, states
from services.operations.quarantine.rereading import Attempt, Operator, attempt, discarded

PAGE = 200  # entries whose bytes are held at once
PATIENCE = 30.0  # seconds until decide and project have taken what was sent
HELD = "An earlier one of the same sender failed again: this one waits for it, so that none overtakes another."
SEEN = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"


class Outcome(Struct, frozen=True, gc=False):
    """What became of one entry: its status, how often it was tried, and why it waits if it does."""

    id: Id
    status: str
    attempts: int
    reason: str = ""


Tell = Callable[[Outcome], None]


async def reparse(
    conn: AsyncConnection, places: Places, log: Log, entries: Sequence[Entry], by: Operator, tell: Tell
) -> None:
    """Tells each outcome. It may be stopped anywhere, run again, and run by two at once: what is sent twice counts
    once. Raises NotYet when nothing decides on what it sends."""
    stuck: set[str] = set()
    for at in range(0, len(entries), PAGE):
        left = [one async for one in attempts(conn, places, entries[at : at + PAGE], by, tell)]
        while left:
            wave, left = first_of_each_sender(left)
            for one in wave:
                if one.senders & stuck:
                    tell(Outcome(one.entry.id, "waiting", one.tried, HELD))
            free = [one for one in wave if not one.senders & stuck]
            for one in free:
                if one.facts:
                    await log.send(*one.facts)
                await log.send(one.verdict)  # only now: until then it counts as never taken up
            for one, entry in zip(free, await decided(conn, free), strict=True):
                reason = entry.reason if entry.status == "waiting" else ""
                tell(Outcome(entry.id, entry.status, entry.attempts, reason))
                if entry.status == "waiting":
                    stuck |= one.senders


async def discard(conn: AsyncConnection, log: Log, entries: Sequence[Entry], reason: str, by: Operator) -> list[Entry]:
    """They as they are then: one that was released meanwhile stays released. Raises NotYet like reparse."""
    before = await states(conn, entries)
    for entry in entries:
        if not before[entry.id].status:
            await log.send(discarded(entry, before[entry.id].attempts, reason, by))
    return await settled(conn, entries, lambda entry: entry.status != "waiting")


async def attempts(
    conn: AsyncConnection, places: Places, entries: Sequence[Entry], by: Operator, tell: Tell
) -> AsyncIterator[Attempt]:
    """Those of the entries that wait still and whose bytes Kafka gives; the others are told at once."""
    before = await states(conn, entries)
    for entry in entries:
        known = before[entry.id]
        if known.status:
            tell(Outcome(entry.id, known.status, known.attempts, "It was settled before."))
            continue
        try:
            record = await places.record(entry.topic, entry.partition, entry.offset)
        except NotYet as why:
            tell(Outcome(entry.id, "waiting", known.attempts, str(why)))
            continue
        yield attempt(entry, known.attempts, record, by)


def first_of_each_sender(those: Sequence[Attempt]) -> tuple[list[Attempt], list[Attempt]]:
    """Those that nobody stands before, and the others, each in their order."""
    first: list[Attempt] = []
    rest: list[Attempt] = []
    taken: set[str] = set()
    for one in those:
        (rest if one.senders & taken else first).append(one)
        taken |= one.senders
    return first, rest


async def decided(conn: AsyncConnection, sent: Sequence[Attempt]) -> list[Entry]:
    """The entries once all their facts and verdicts are decided on and seen in the list."""
    tried = {one.entry.id: one.tried for one in sent}
    ids = sorted({id for one in sent for id in one.ids})

    async def taken() -> bool:
        row = await (await conn.execute(SEEN, [ids])).fetchone()
        return row == (len(ids),)

    await until(taken, f"{len(sent)} were sent")
    return await settled(
        conn, [one.entry for one in sent], lambda entry: entry.status != "waiting" or entry.attempts > tried[entry.id]
    )


async def settled(conn: AsyncConnection, entries: Sequence[Entry], done: Callable[[Entry], bool]) -> list[Entry]:
    """The same entries, in their order, once all are done."""
    now: dict[Id, Entry] = {}
    ids = tuple(entry.id for entry in entries)

    async def all_done() -> bool:
        now.update({entry.id: entry for entry in await listed(conn, Wanted(ids=ids, status="all"))} if ids else {})
        return all(done(now[entry.id]) for entry in entries)

    await until(all_done, f"{len(entries)} were sent and decided on")
    return [now[entry.id] for entry in entries]


async def until(true: Callable[[], Awaitable[bool]], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not await true():
        if time.monotonic() > deadline:
            raise NotYet(
                f"{what}, and cannot be seen after {PATIENCE:g} s. They are kept and count once: see with `crm status` "
                "whether decide, relay and project run, then run this again."
            )
        await asyncio.sleep(0.02)
