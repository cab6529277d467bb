"""What `crm doctor` sees in a real Kafka and a real Postgres, with faults planted in them."""

import asyncio
from pathlib import Path
from uuid import uuid4

import pytest
from psycopg import AsyncConnection

from crm.adapters.postgres import read_models
from crm.adapters.telemetry.metrics import BACKLOG, BACKLOG_SECONDS, OUTBOX, WAITING, WAITING_SECONDS
from crm.envelope import named_id
from crm.events import ContactCreated
from crm.scalars import Id
from crm.topics import journal_partition
from projections import PROJECTIONS
from projections.quarantine import QuarantineRow
from services.cli.doctor import servers as server_checks
from services.cli.doctor.checks import Finding, Installation
from services.cli.doctor.snapshot import AtRisk, Snapshot, take_snapshot
from streams import outbox_metrics, quarantine_metrics
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection
from tests.support.scenarios import CONNECTION, NOON, meta

DEAL = PROJECTIONS["deal"].table


def event(n: int) -> ContactCreated:
    at = meta(f"event {n}", stream=named_id(CONNECTION, "one stream"))
    return ContactCreated(at, at.stream, "Olha", "form")


PARTITION = journal_partition(named_id(CONNECTION, "one stream"))


@pytest.fixture
def own(kafka_bootstrap: str, fresh_database_url: str) -> IsolatedJournal:
    own = IsolatedJournal(kafka_bootstrap, fresh_database_url)
    asyncio.run(own.create_topics())
    return own


async def seen(own: IsolatedJournal) -> Snapshot:
    async with await open_connection(own.dsn, "") as conn:
        return await take_snapshot(own.bootstrap, conn, own.topic)


async def execute(own: IsolatedJournal, statement: str, *values: object) -> None:
    async with await AsyncConnection.connect(own.dsn, autocommit=True) as conn:
        await conn.execute(statement.encode(), values)


async def carried(own: IsolatedJournal, *events: ContactCreated) -> Snapshot:
    """What is seen while a relay leads that has nothing left to do."""
    await own.commit(*events)
    async with own.relaying() as relay:
        await own.published(relay)
        return await seen(own)


def test_who_leads_and_who_is_ahead(own: IsolatedJournal) -> None:
    """A relay leads; then none, while the outbox fills; then the database is an old one."""

    async def run() -> None:
        led = await carried(own, event(1), event(2))
        assert (led.leader, led.journal_ahead(), led.heads[PARTITION], led.journal[PARTITION]) == (True, {}, 2, 2)
        await execute(own, "DELETE FROM core.outbox")  # what the relay would have done at its next look
        await own.commit(event(3))
        alone = await seen(own)
        assert (alone.leader, alone.outbox, alone.journal_ahead()) == (False, 1, {})
        assert (alone.heads[PARTITION], alone.journal[PARTITION]) == (3, 2)
        await execute(own, "UPDATE core.journal_head SET next = 1 WHERE partition = %s", PARTITION)
        assert (await seen(own)).journal_ahead() == {PARTITION: 1}
        await execute(own, "TRUNCATE core.compared")
        assert (await seen(own)).compared is False

    asyncio.run(run())


def test_where_a_projection_stands(own: IsolatedJournal) -> None:
    culprit = event(2)

    async def run() -> None:
        await carried(own, event(1), culprit)
        plant = "INSERT INTO core.checkpoint (consumer, topic, partition, failed) VALUES (%s, %s, %s, %s)"
        why = f"ZeroDivisionError('planted') deal at ContactCreated {culprit.meta.id}"
        await execute(own, plant, DEAL, own.topic, PARTITION, why)
        flow = await seen(own)
        assert (flow.failed, flow.events) == ({DEAL: why}, {DEAL: f"partition {PARTITION}, position 1"})
        assert DEAL not in {consumer for consumer, _, _ in flow.lags()}

    asyncio.run(run())


def test_how_much_waits_in_quarantine(own: IsolatedJournal) -> None:
    projection = PROJECTIONS["quarantine"]
    rows = [
        QuarantineRow(
            quarantine_id=Id(str(uuid4())),
            connection="c",
            connector=connector,
            reason="no call id",
            content_type="",
            size=1,
            sha256="",
            excerpt="",
            cause_topic="t",
            cause_partition=0,
            cause_offset=0,
            received_at=NOON,
            quarantined_at=NOON,
            at_risk=risk,
        )
        for connector, risk in (("binotel", "lead"), ("binotel", "lead"), ("form", ""), ("liqpay", "payment"))
    ]

    async def run() -> None:
        async with await open_connection(own.dsn, "") as conn:
            saved = read_models.packed(projection, [(Id(str(uuid4())), row) for row in rows])
            await conn.execute(read_models.save(projection), saved)
            long_ago = await seen(own)
            assert long_ago.quarantined == (0, "", "")
            assert long_ago.at_risk == [AtRisk("lead", "binotel", 2, NOON), AtRisk("payment", "liqpay", 1, NOON)]
            await quarantine_metrics.measure(conn, NOON / 1_000_000 + 90)
            assert [(m.labels["risk"], m.value) for m in WAITING.collect()[0].samples] == [("lead", 2), ("payment", 1)]
            assert [m.value for m in WAITING_SECONDS.collect()[0].samples] == [90, 90]
            await conn.execute(f"UPDATE read.{projection.table} SET quarantined_at = now()".encode())
            assert (await seen(own)).quarantined == (4, "binotel", "no call id")
            await conn.execute(f"UPDATE read.{projection.table} SET status = 'discarded'".encode())
            assert (await seen(own)).at_risk == []
            await quarantine_metrics.measure(conn, NOON / 1_000_000)
            assert [m.value for m in (*WAITING.collect()[0].samples, *WAITING_SECONDS.collect()[0].samples)] == [0] * 4

    asyncio.run(run())


def test_the_servers_are_new_enough_and_on_time(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> None:
    patient = Installation(tmp_path, None, kafka_bootstrap, fresh_database_url, {})
    kafka = asyncio.run(server_checks.kafka_answers(patient))
    assert kafka == [Finding("kafka", True, f"Kafka answers at {kafka_bootstrap}.")]
    postgres, clock = asyncio.run(server_checks.postgres_answers(patient))
    assert postgres.ok
    assert clock == Finding("clock", True, "The clock of Postgres and this machine's agree.")


def test_tables_that_are_missing_are_named(own: IsolatedJournal, tmp_path: Path) -> None:
    asyncio.run(execute(own, "DROP TABLE core.checkpoint"))
    patient = Installation(tmp_path, None, own.bootstrap, own.dsn, {})
    first, *_ = asyncio.run(server_checks.postgres_answers(patient))
    assert first == Finding("postgres", False, "These tables are missing: core.checkpoint. `crm up` creates them.")


def test_the_backlog_grows_older_while_nobody_carries_it(own: IsolatedJournal) -> None:
    """Any relay reports it, also one whose Kafka is down: the figure once froze together with the relay."""

    async def run() -> tuple[float, float, float]:
        async with await open_connection(own.dsn, "") as conn:
            await outbox_metrics.measure(conn, 0.0)
            assert figures() == (0, 0, 0)
            await own.commit(event(1), event(2))
            await own.commit(event(3))
            await outbox_metrics.measure(conn, NOON / 1_000_000 + 90)
            return figures()

    assert asyncio.run(run()) == (2, 3, 90)


def figures() -> tuple[float, float, float]:
    return tuple(gauge.collect()[0].samples[0].value for gauge in (OUTBOX, BACKLOG, BACKLOG_SECONDS))  # type: ignore[return-value]  # three
