"""Rebuilds the state when a release's folds changed: all of the journal is folded once more, nothing is decided
meanwhile. What is still on its way to Kafka is folded from the outbox."""

from collections.abc import Callable

import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.commit_log import tail
from crm.adapters.kafka.journal_log import Slice, unpack
from crm.contract.codec import decode, type_of
from crm.engine.state_fold import AT_ONCE, BEGINS, HEADS, missing_records, pairs, remember
from crm.envelope import Event
from crm.state.shape import FOLDS

MADE_BY = "SELECT coalesce((SELECT version FROM core.folds), 1)"
# The lock waits for transactions that have begun; those that come later find no mark, and are refused.
STOP = """
LOCK TABLE core.journal_head IN SHARE ROW EXCLUSIVE MODE;
TRUNCATE core.compared;
TRUNCATE core.state;
DELETE FROM core.folds;
INSERT INTO core.folds VALUES (0)"""
OUTBOX = "SELECT partitions, firsts, counts, records FROM core.outbox ORDER BY id"
DONE = "UPDATE core.folds SET version = %s"

log = structlog.get_logger()


async def ensure(
    conn: AsyncConnection, bootstrap: str, journal: str, commit_log: str, say: Callable[[str], None]
) -> None:
    """Does nothing when this version of the folds made the state. The caller holds the lock of `recovery`.

    Ended midway, the next call begins again: until the end core.folds says 0, and nobody decides.
    """
    ((made_by,),) = await (await conn.execute(MADE_BY)).fetchall()
    if made_by == FOLDS:
        return
    log.warning("the state was made by other folds; folding the journal again", was=made_by, now=FOLDS)
    async with conn.transaction():
        await conn.execute(STOP)
    # Before Kafka is asked for its ends: a relay may publish and delete them meanwhile.
    rows = await (await conn.execute(OUTBOX)).fetchall()
    waiting = [Slice(*part) for columns in rows for part in zip(*columns, strict=True)]
    heads = await pairs(conn, HEADS)
    at = (await tail(bootstrap, journal, commit_log, await pairs(conn, BEGINS))).at
    spans = {p: (0, end) for p, head in heads.items() if (end := min(head, at[p]))}
    total, done = sum(heads.values()), 0
    async for records in missing_records(bootstrap, journal, spans):
        async with conn.transaction():
            await remember(conn, [decode(record.value) for record in records if type_of(record.value)])
        done += len(records)
        say(f"Rebuilding the state: {done:,} of {total:,} events")
    rest = unpublished(waiting, {p: end for p, (_, end) in spans.items()})
    async with conn.transaction():
        for n in range(0, len(rest), AT_ONCE):
            await remember(conn, rest[n : n + AT_ONCE])
        await conn.execute(DONE, [FOLDS])
    log.warning("the state is rebuilt", events=done + len(rest))


def unpublished(waiting: list[Slice], ends: dict[int, int]) -> list[Event]:
    """Returns the events of the outbox that Kafka did not have."""
    return [
        decode(value)
        for part in waiting
        for position, (*_, value) in enumerate(unpack(part.records), part.first)
        if position >= ends.get(part.partition, 0)
    ]
