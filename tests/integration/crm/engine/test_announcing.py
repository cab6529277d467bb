"""A transaction in which a call begins to ring announces itself when it is committed, by its row in the outbox."""

import asyncio
from uuid import uuid4

from psycopg import AsyncConnection

from api.live.early_rings import announced, reports_in
from crm.adapters.kafka.journal_log import Slice
from crm.adapters.postgres import outbox
from crm.adapters.postgres.listener import Listener
from crm.adapters.postgres.state import Batch
from crm.engine.decide_batch import Arrived, decide
from crm.envelope import Fact, now
from crm.scalars import Id
from crm.state import fold
from tests.support.records import in_workspace, open_connection, rules_of
from tests.support.scenarios import call
from tests.support.timeouts import TIMEOUT


def test_a_call_that_begins_to_ring_announces_its_transaction(database_url: str) -> None:
    """What rang long ago, as in an import, and what answers or ends, is in no hurry; nor is what was rolled back."""
    workspace = Id(str(uuid4()))

    def of(key: str, phase: str, at: int, name: str) -> Fact:
        return in_workspace(call(key, phase, "+380671234567", at, call=name, employee="101"), workspace)

    async def commit(conn: AsyncConnection, fact: Fact, commits: bool = True) -> None:
        async with conn.transaction(force_rollback=not commits):
            await decide(conn, [Arrived(fact)])

    async def run() -> tuple[list[tuple[str, str]], list[str]]:
        async with await open_connection(database_url) as conn, await open_connection(database_url) as other:
            listener = await Listener(other).listen(outbox.RINGS)
            async with conn.transaction():
                batch = Batch()
                for event in rules_of(workspace):
                    fold(batch.of(workspace), event)
                batch.keep()
                await batch.write(conn)
            at = now()
            await commit(conn, of("old", "ringing", at - 3_600_000_000, "long ago"))
            await commit(conn, of("rolled back", "ringing", at, "never"), commits=False)
            await commit(conn, of("talks", "answered", at, "answered"))
            await commit(conn, of("rings", "ringing", at, "rings"))
            heard = [announced(one.payload) for one in await listener.wait(TIMEOUT)]
            assert [names for _, names in heard] == [[workspace]]
            slices = [Slice(*part) for part in await outbox.row(other, heard[0][0])]
            reports = reports_in(slices, {workspace})[workspace]
            assert await outbox.row(other, heard[0][0] + 1) == []
            return [(one.type, one.event.call) for one in reports], sorted({one.event.phone.e164 for one in reports})

    assert asyncio.run(run()) == ([("CallOpened", "rings"), ("CallUpdated", "rings")], ["+380671234567"])
