"""A topic, a table, and the workers that count the one into the other: the stream roles' loop on its own."""

import asyncio
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaProducer

from crm.topics import JOURNAL
from services.stack.ports import any_free
from services.stack.process import Process, last_lines, spawn, until
from services.stack.topics import create_missing
from tests.support.patience import PATIENCE

CHUNK = 500  # records
PASSED = "SELECT coalesce(sum(next_offset), 0) FROM core.checkpoint WHERE consumer = %s"


class Counted:
    """A topic, a table, and the workers that count the one into the other."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path) -> None:
        self.bootstrap, self.dsn, self.folder = bootstrap, dsn, folder
        self.topic = f"counted-{uuid4().hex[:8]}"
        self.workers: dict[int, Process] = {}
        self.ports = {instance: any_free() for instance in (1, 2)}
        self.db = psycopg.connect(dsn, autocommit=True)
        self.db.execute("CREATE TABLE counted (id text)")

    def start(self, instance: int, plant: str = "", module: str = "tests.support.counting_role") -> None:
        """`plant`: what goes wrong in it, see tests/support/counting_role.py."""
        environment = os.environ | {
            "COUNTED_PLANT": plant,
            "COUNTED_TOPIC": self.topic,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "DATABASE_URL": self.dsn,
            "CRM_INSTANCE": str(instance),
            "CRM_HEALTH_PORT": str(self.ports[instance]),
            "PYTHONUNBUFFERED": "1",
        }
        with self.log(instance).open("ab") as log:
            command = [sys.executable, "-m", module]
            self.workers[instance] = spawn(command, log, environment=environment)

    def kill(self, instance: int) -> None:
        self.workers[instance].kill()
        self.workers[instance].wait()

    def log(self, instance: int) -> Path:
        return self.folder / f"{instance}.log"

    async def create_topic(self) -> None:
        await create_missing(self.bootstrap, topics=[replace(JOURNAL, name=self.topic, partitions=4)])

    async def produce(self, first: int) -> None:
        async with AIOKafkaProducer(bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True) as producer:
            sent = [await producer.send(self.topic, str(n).encode()) for n in range(first, first + CHUNK)]
            await asyncio.gather(*sent)

    def passed(self) -> int:
        """Records that the checkpoints are past."""
        ((count,),) = self.db.execute(PASSED, [self.topic]).fetchall()
        return int(count)

    async def reached(self, count: int) -> None:
        async def missing() -> str | None:
            dead = [n for n, worker in self.workers.items() if worker.poll() is not None]
            for instance in dead:  # as its supervisor does: a role that cannot go on ends and is started again
                self.start(instance)
            return None if (passed := self.passed()) >= count else f"{passed} of {count}\n{self.said()}"

        await until(missing, PATIENCE)

    def said(self) -> str:
        return "\n".join(last_lines(self.log(n)) for n in self.workers)

    async def hears(self, instance: int, words: str) -> None:
        async def missing() -> str | None:
            said = self.log(instance).read_text()
            return None if words in said else f"no {words!r} in {said[-2000:]!r}"

        await until(missing, PATIENCE)

    def effects(self) -> Counter[str]:
        return Counter(id for (id,) in self.db.execute("SELECT id FROM counted"))

    def end(self) -> None:
        for worker in self.workers.values():
            worker.kill()
            worker.wait()
        self.db.close()
