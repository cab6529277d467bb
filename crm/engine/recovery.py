"""Restores what Postgres lacks (an old backup, an empty database) from the journal in Kafka before anything is decided.

What decisions work on (state, facts seen, the journal's heads, how far decide has read) is a fold of the journal, so
whatever a database lacks can be folded in. Read models need none of this: each has its own place in the journal.
"""

from collections.abc import Callable, Sequence

import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.commit_log import complete, tail
from crm.adapters.kafka.journal_log import position_of
from crm.adapters.kafka.reading import Record
from crm.adapters.postgres.state import as_json
from crm.contract.codec import decode, type_of
from crm.engine import state_rebuild
from crm.engine.state_fold import BEGINS, HEADS, missing_records, pairs, remember
from crm.envelope import Event
from crm.state.shape import FOLDS
from crm.topics import COMMITS, JOURNAL

LOCK = 7_068_003  # the first one compares, the others wait
COMPARED = """
SELECT 1 FROM core.compared WHERE server = core.this_server() AND coalesce((SELECT version FROM core.folds), 1) = %s"""
SEEN = "INSERT INTO core.fact_seen (fact_id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING"
READ = """
INSERT INTO core.checkpoint AS c (consumer, topic, partition, next_offset)
SELECT 'decide', t, p, n FROM json_to_recordset(%s) AS r (t text, p int, n bigint)
ON CONFLICT (consumer, topic, partition) DO UPDATE SET next_offset = greatest(c.next_offset, excluded.next_offset)"""
AHEAD = """
UPDATE core.journal_head AS h SET next = r.next FROM json_to_recordset(%s) AS r (partition int, next bigint)
WHERE h.partition = r.partition"""
REMEMBER = """
WITH old AS (DELETE FROM core.compared)
INSERT INTO core.compared VALUES (core.this_server()) ON CONFLICT DO NOTHING"""

log = structlog.get_logger()
Say = Callable[[str], None]


async def ensure(
    bootstrap: str, dsn: str, say: Say = lambda _: None, journal: str = JOURNAL.name, commit_log: str = COMMITS.name
) -> int:
    """Compares once per start of the server. Returns how many events Postgres had lacked.

    Ended midway it goes on at the next call: each transaction moves the heads with the state.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True, connect_timeout=5, options="-c jit=off") as conn:
        if await (await conn.execute(COMPARED, [FOLDS])).fetchone():
            return 0
        await conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        if await (await conn.execute(COMPARED, [FOLDS])).fetchone():
            return 0
        await state_rebuild.ensure(conn, bootstrap, journal, commit_log, say)
        found = await tail(bootstrap, journal, commit_log, await pairs(conn, BEGINS))
        heads = await pairs(conn, HEADS)
        lacking = {p: (heads[p], end) for p, end in found.ends.items() if heads[p] < end}
        total = sum(end - head for head, end in lacking.values())
        if total:
            await complete(bootstrap, journal, found)
            log.warning("Postgres lacks events of the journal; folding them in", events=total)
            done = 0
            async for records in missing_records(bootstrap, journal, lacking):
                async with conn.transaction():
                    await fold_in(conn, records)
                done += len(records)
                say(f"Folding the journal into Postgres: {done:,} of {total:,} events")
            log.warning("Postgres has all of the journal", events=total)
        await conn.execute(REMEMBER)
        return total


async def fold_in(conn: AsyncConnection, records: Sequence[Record]) -> None:
    """In the caller's transaction: state, facts seen, decide's checkpoints and the heads, all or nothing."""
    events: list[Event] = [decode(record.value) for record in records if type_of(record.value)]
    await remember(conn, events)
    await conn.execute(SEEN, [sorted({event.meta.cause for event in events})])
    read: dict[tuple[str, int], int] = {}
    for event in events:
        place = event.meta.cause_topic, event.meta.cause_partition
        if event.meta.cause_offset >= 0:
            read[place] = max(read.get(place, 0), event.meta.cause_offset + 1)
    await conn.execute(READ, [as_json({"t": t, "p": p, "n": n} for (t, p), n in sorted(read.items()))])
    heads = {record.partition: position_of(record) + 1 for record in records}
    await conn.execute(AHEAD, [as_json({"partition": p, "next": n} for p, n in heads.items())])
