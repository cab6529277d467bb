"""Postgres loses its past, or all of it; Kafka holds what nobody can read."""

import asyncio
import os
import shutil
import time
from pathlib import Path

from aiokafka import AIOKafkaProducer

from crm.adapters.processes import child
from crm.topics import INTAKE
from services.stack.setup import topics_and_tables
from tests.chaos.faults import Scene, fault
from tests.chaos.stand import Stand

POISONS = (b"", b"\x00", b"no Avro at all", b"\x00\xff\xff\xff\xff body of a schema that nobody knows")
AHEAD = 10.0  # seconds for which Kafka goes on after the backup was made


@fault("old-backup", "Postgres is put back to a backup that is older than what Kafka holds.", lasts=60)
async def old_backup(scene: Scene) -> None:
    stand = scene.stand
    data, backup = stand.postgres.data, stand.plan.data / "backup"
    await stopped(stand)
    await copy(data, backup)
    stand.release("postgres")
    await stand.answers("postgres")
    await asyncio.sleep(AHEAD)
    stand.hold("postgres")
    await stand.kill("postgres")
    await asyncio.to_thread(shutil.rmtree, data)
    await copy(backup, data)
    await asyncio.to_thread(shutil.rmtree, backup)
    stand.release("postgres")
    await scene.struck(await stand.answers("postgres"))


@fault("postgres-dropped", "All data of Postgres is deleted; it is rebuilt from Kafka alone.", lasts=60)
async def postgres_dropped(scene: Scene) -> None:
    stand = scene.stand
    stand.hold("postgres")
    await stand.kill("postgres")
    await asyncio.to_thread(shutil.rmtree, stand.postgres.data)
    await asyncio.to_thread(stand.postgres.create)
    stand.release("postgres")
    at = await stand.answers("postgres")
    await topics_and_tables(stand.bootstrap, stand.dsn)
    await scene.struck(at)


async def stopped(stand: Stand) -> None:
    """In order, so that its folder can be copied."""
    stand.hold("postgres")
    await stand.kill("postgres", stand.postgres.stop_by)


async def copy(folder: Path, to: Path) -> None:
    """With owners and rights."""
    async with child("cp", "-a", folder, to) as process:
        if await process.wait():
            raise RuntimeError(f"{folder} could not be copied to {to}")


@fault("poison-fact", "Bytes that are no fact lie on every intake topic.", bound=10.0)
async def poison_fact(scene: Scene) -> None:
    at = time.monotonic()
    producer = AIOKafkaProducer(bootstrap_servers=scene.stand.bootstrap, acks="all")
    async with producer:
        for topic in INTAKE.values():
            for poison in POISONS:
                record = await producer.send_and_wait(topic.name, poison, key=os.urandom(8))
                scene.poisoned(record.topic, record.partition, record.offset)
    await scene.struck(at)
