"""The loop of the stream roles with Faust, Kafka and Postgres: each record takes effect exactly once, whoever dies."""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import httpx
import psycopg
import pytest
from aiokafka import AIOKafkaProducer

from crm.topics import JOURNAL
from services.stack.ports import LOCAL, any_free
from services.stack.process import Process, last_lines, spawn, stop, until
from services.stack.topics import create_missing

PATIENCE = 30.0  # seconds; a group notices a killed member after six
RECORDS, CHUNK = 5_000, 500
PASSED = "SELECT coalesce(sum(next_offset), 0) FROM core.checkpoint WHERE consumer = %s"
CUT = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"


class Counted:
    """A topic, a table, and the workers that count the one into the other."""

    def __init__(self, bootstrap: str, dsn: str, folder: Path) -> None:
        self.bootstrap, self.dsn, self.folder = bootstrap, dsn, folder
        self.topic = f"counted-{uuid4().hex[:8]}"
        self.workers: dict[int, Process] = {}
        self.ports = {instance: any_free() for instance in (1, 2)}
        self.db = psycopg.connect(dsn, autocommit=True)
        self.db.execute("CREATE TABLE counted (id text)")

    def start(self, instance: int) -> None:
        environment = os.environ | {
            "COUNTED_TOPIC": self.topic,
            "KAFKA_BOOTSTRAP": self.bootstrap,
            "DATABASE_URL": self.dsn,
            "CRM_INSTANCE": str(instance),
            "CRM_HEALTH_PORT": str(self.ports[instance]),
            "PYTHONUNBUFFERED": "1",
        }
        with self.log(instance).open("ab") as log:
            command = [sys.executable, "-m", "tests.counting_role"]
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


@pytest.fixture
def counted(kafka_bootstrap: str, fresh_database_url: str, tmp_path: Path) -> Iterator[Counted]:
    counted = Counted(kafka_bootstrap, fresh_database_url, tmp_path)
    with ExitStack() as stack:
        stack.callback(counted.end)
        yield counted


def test_each_record_takes_effect_exactly_once(counted: Counted) -> None:
    """Two workers; kills, a freeze, cut connections, and one transaction in twenty fails.

    They start before their topic exists. Who joined its group then was once assigned nothing, and kept that.
    """

    async def run() -> None:
        counted.start(1)
        counted.start(2)
        await counted.hears(1, "waiting for topics")
        await counted.create_topic()
        for turn in range(RECORDS // CHUNK):
            await counted.produce(turn * CHUNK)
            await counted.reached(turn * CHUNK + 1)
            fault(turn)
        await counted.reached(RECORDS)

    def fault(turn: int) -> None:
        match turn:
            case 1 | 5:
                counted.kill(1)
            case 3:
                counted.workers[2].send_signal(signal.SIGSTOP)
            case 4:
                counted.workers[2].send_signal(signal.SIGCONT)
            case 7:
                counted.kill(2)
            case _:
                counted.db.execute(CUT, [counted.db.info.dbname])

    asyncio.run(run())
    effects = counted.effects()
    assert [id for id, times in effects.items() if times > 1] == []
    assert {str(n) for n in range(RECORDS)} - effects.keys() == set()
    assert counted.passed() == RECORDS


def test_a_role_answers_for_itself_and_stops_when_told(counted: Counted) -> None:
    async def run() -> tuple[list[httpx.Response], bool]:
        await counted.create_topic()
        counted.start(1)
        await counted.produce(0)
        await counted.reached(CHUNK)
        async with httpx.AsyncClient(base_url=f"http://{LOCAL}:{counted.ports[1]}", trust_env=False) as http:
            answers = [await http.get(path) for path in ("/livez", "/readyz", "/metrics", "/else")]
        return answers, await stop(counted.workers[1], signal.SIGTERM, PATIENCE)

    answers, by_itself = asyncio.run(run())
    assert [a.status_code for a in answers] == [200, 200, 200, 404]
    assert f'crm_records_handled_total{{consumer="{counted.topic}"}} {CHUNK}.0\n' in answers[2].text
    assert by_itself
    assert counted.workers[1].returncode == 0
    assert "Starting..." not in counted.log(1).read_text()
    assert counted.effects() == Counter({str(n): 1 for n in range(CHUNK)})
