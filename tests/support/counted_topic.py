"""A topic, a table, and workers that count records into it: tests the stream roles' loop alone."""

import asyncio
import os
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import psycopg
from aiokafka import AIOKafkaProducer

from crm.adapters.kafka.address import client_options
from crm.topics import JOURNAL
from services.stack.ports import any_free
from services.stack.process import Process, last_lines, spawn, until
from services.stack.topics import create_missing
from tests.support.timeouts import TIMEOUT

CHUNK = 500  # records
PASSED = "SELECT coalesce(sum(next_offset), 0) FROM core.checkpoint WHERE consumer = %s"


class CountedTopic:
    """A topic, a table, and workers that count the topic's records into it."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path) -> None:
        self.bootstrap, self.dsn, self.folder = bootstrap, dsn, folder
        self.topic = f"counted-{uuid4().hex[:8]}"
        self.workers: dict[int, Process] = {}
        self.ports = {instance: any_free() for instance in (1, 2)}
        self.db = psycopg.connect(dsn, autocommit=True)
        self.db.execute("CREATE TABLE counted (id text)")

    def start(self, instance: int, fault: str = "", module: str = "tests.support.counting_role") -> None:
        """Starts a worker. `fault`: what fails in it, see tests/support/counting_role.py."""
        environment = os.environ | {
            "COUNTED_FAULT": fault,
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
        async with AIOKafkaProducer(**client_options(self.bootstrap), acks="all", enable_idempotence=True) as producer:
            sent = [await producer.send(self.topic, str(n).encode()) for n in range(first, first + CHUNK)]
            await asyncio.gather(*sent)

    def processed(self) -> int:
        """Returns the number of records before the checkpoints."""
        ((count,),) = self.db.execute(PASSED, [self.topic]).fetchall()
        return int(count)

    async def wait_for_count(self, count: int) -> None:
        async def missing() -> str | None:
            dead = [n for n, worker in self.workers.items() if worker.poll() is not None]
            for instance in dead:  # as its supervisor does: a role that cannot go on ends and is started again
                self.start(instance)
            return None if (processed := self.processed()) >= count else f"{processed} of {count}\n{self.last_output()}"

        await until(missing, TIMEOUT)

    def last_output(self) -> str:
        return "\n".join(last_lines(self.log(n)) for n in self.workers)

    async def wait_for_output(self, instance: int, words: str) -> None:
        async def missing() -> str | None:
            last_output = self.log(instance).read_text()
            return None if words in last_output else f"no {words!r} in {last_output[-2000:]!r}"

        await until(missing, TIMEOUT)

    def effects(self) -> Counter[str]:
        return Counter(id for (id,) in self.db.execute("SELECT id FROM counted"))

    def end(self) -> None:
        for worker in self.workers.values():
            worker.kill()
            worker.wait()
        self.db.close()
