"""Postgres is restored from an old backup or loses all data; Kafka holds records that are no facts."""

import asyncio
import os
import shutil
import time
from pathlib import Path

from aiokafka import AIOKafkaProducer

from crm.adapters.processes import child
from crm.topics import INTAKE
from services.stack.setup import topics_and_tables
from tests.chaos.cluster import Cluster
from tests.chaos.faults import FaultContext, fault

POISONS = (b"", b"\x00", b"no Avro at all", b"\x00\xff\xff\xff\xff body of a schema that nobody knows")
AHEAD = 10.0  # seconds for which Kafka goes on after the backup was made


@fault("old-backup", "Postgres is put back to a backup that is older than what Kafka holds.", lasts=60)
async def old_backup(run: FaultContext) -> None:
    cluster = run.cluster
    data, backup = cluster.postgres.data, cluster.plan.data / "backup"
    await stopped(cluster)
    await copy(data, backup)
    cluster.release("postgres")
    await cluster.wait_until_ready("postgres")
    await asyncio.sleep(AHEAD)
    cluster.hold("postgres")
    await cluster.kill("postgres")
    await asyncio.to_thread(shutil.rmtree, data)
    await copy(backup, data)
    await asyncio.to_thread(shutil.rmtree, backup)
    cluster.release("postgres")
    await run.injected(await cluster.wait_until_ready("postgres"))


@fault("postgres-dropped", "All data of Postgres is deleted; it is rebuilt from Kafka alone.", lasts=60)
async def postgres_dropped(run: FaultContext) -> None:
    cluster = run.cluster
    cluster.hold("postgres")
    await cluster.kill("postgres")
    await asyncio.to_thread(shutil.rmtree, cluster.postgres.data)
    await asyncio.to_thread(cluster.postgres.create)
    cluster.release("postgres")
    at = await cluster.wait_until_ready("postgres")
    await topics_and_tables(cluster.bootstrap, cluster.dsn)
    await run.injected(at)


async def stopped(cluster: Cluster) -> None:
    """Stops the server in order, so that its folder can be copied."""
    cluster.hold("postgres")
    await cluster.kill("postgres", cluster.postgres.stop_by)


async def copy(folder: Path, to: Path) -> None:
    """Copies a folder with owners and permissions."""
    async with child("cp", "-a", folder, to) as process:
        if await process.wait():
            raise RuntimeError(f"{folder} could not be copied to {to}")


@fault("poison-fact", "Bytes that are no fact lie on every intake topic.", bound=10.0)
async def poison_fact(run: FaultContext) -> None:
    at = time.monotonic()
    producer = AIOKafkaProducer(bootstrap_servers=run.cluster.bootstrap, acks="all")
    async with producer:
        for topic in INTAKE.values():
            for poison in POISONS:
                record = await producer.send_and_wait(topic.name, poison, key=os.urandom(8))
                run.expect_quarantined(record.topic, record.partition, record.offset)
    await run.injected(at)
