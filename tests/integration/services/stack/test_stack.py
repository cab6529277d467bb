"""The embedded servers: found again with their data, whatever ended them."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import psutil
import psycopg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from crm.topics import TOPICS, Topic
from services.stack import kafka, topics
from services.stack.kafka import Kafka
from services.stack.kafka_probe import why_unreachable
from services.stack.ports import LOCAL, Ports, any_free, notices
from services.stack.postgres import Postgres
from services.stack.process import stop, until
from tests.support.servers import IN_CONTAINERS
from tests.support.timeouts import TIMEOUT

embedded = pytest.mark.skipif(IN_CONTAINERS, reason="is about the embedded servers")
NOTES = Topic("notes", "For this test.", 1, "this test", {"retention.ms": "-1"})


async def started(server: Kafka | Postgres) -> None:
    server.start()
    await until(server.ready, 180)


async def ended(server: Kafka | Postgres, by: signal.Signals) -> None:
    assert server.process
    await stop(server.process, by, 20)


@embedded
def test_kafka_finds_its_records_again_on_another_port(tmp_path: Path) -> None:
    async def story() -> bytes:
        jars = await kafka.prepare(print)
        first = Kafka(tmp_path / "kafka", any_free(), jars)
        await started(first)
        try:
            assert await topics.create_missing(first.bootstrap, topics=[NOTES]) == ["notes"]
            assert await topics.create_missing(first.bootstrap, topics=[NOTES]) == []
            async with AIOKafkaProducer(bootstrap_servers=first.bootstrap, acks="all") as producer:
                await producer.send_and_wait("notes", b"kept")
        finally:
            await ended(first, first.stop_by)
        second = Kafka(tmp_path / "kafka", any_free(), jars)
        await started(second)
        try:
            reader = AIOKafkaConsumer("notes", bootstrap_servers=second.bootstrap, auto_offset_reset="earliest")
            async with reader:
                return (await asyncio.wait_for(reader.getone(), 120)).value
        finally:
            await ended(second, second.stop_by)

    assert asyncio.run(story()) == b"kept"


@embedded
def test_postgres_finds_its_rows_again_after_a_kill(tmp_path: Path) -> None:
    """kill -9 leaves a postmaster.pid behind; the next start is not put off by it."""

    async def story() -> None:
        first = Postgres(tmp_path / "postgres", any_free())
        await started(first)
        with psycopg.connect(first.dsn, autocommit=True) as conn:
            conn.execute("CREATE TABLE note (text text)")
            conn.execute("INSERT INTO note VALUES ('kept')")
        await ended(first, signal.SIGKILL)
        assert (tmp_path / "postgres" / "postmaster.pid").exists()
        second = Postgres(tmp_path / "postgres", any_free())
        await started(second)
        try:
            with psycopg.connect(second.dsn, autocommit=True) as conn:
                assert conn.execute("SELECT text FROM note").fetchall() == [("kept",)]
                assert conn.execute("SHOW max_locks_per_transaction").fetchone() == ("256",)
        finally:
            await ended(second, second.stop_by)
        assert not (tmp_path / "postgres" / "postmaster.pid").exists()

    asyncio.run(story())


@embedded
def test_postgres_lets_nobody_in_without_the_password(tmp_path: Path) -> None:
    async def story() -> None:
        server = Postgres(tmp_path / "postgres", any_free())
        await started(server)
        try:
            with pytest.raises(psycopg.OperationalError, match="no password supplied"):
                psycopg.connect(f"postgresql://postgres@{LOCAL}:{server.port}/potik")
            assert server.secret.stat().st_mode & 0o777 == 0o600
        finally:
            await ended(server, server.stop_by)

    asyncio.run(story())


def test_every_declared_topic_is_as_declared(kafka_bootstrap: str) -> None:
    assert asyncio.run(topics.differences(kafka_bootstrap)) == []


def test_a_topic_that_differs_is_reported(kafka_bootstrap: str) -> None:
    journal = TOPICS["journal"]
    other = Topic(journal.name, "", 13, "", {"retention.ms": "1000"})
    missing = Topic("crm.nowhere", "", 1, "", {})
    assert asyncio.run(topics.differences(kafka_bootstrap, [other, missing])) == [
        "The topic crm.nowhere is missing: `crm up` creates it.",
        "The topic crm.journal has 12 partitions; 13 are declared.",
        "The topic crm.journal has retention.ms=-1; 1000 is declared.",
    ]


def test_a_topic_of_an_earlier_release_gets_the_codec_that_decide_reads(kafka_bootstrap: str) -> None:
    """A client in Go sent snappy, which decide could not read."""
    before = Topic("compressed", "", 1, "", {"retention.ms": "12345678", "max.message.bytes": "2097152"})
    today = replace(before, config={**before.config, "compression.type": "uncompressed"})
    asyncio.run(topics.create_missing(kafka_bootstrap, topics=[before]))
    assert asyncio.run(topics.differences(kafka_bootstrap, [today])) == [
        "The topic compressed has compression.type=producer; uncompressed is declared."
    ]
    runs = [asyncio.run(topics.set_compression(kafka_bootstrap, [today])) for _ in range(2)]
    assert runs == [["compressed"], []]
    assert asyncio.run(topics.differences(kafka_bootstrap, [today])) == []


def test_a_port_in_use_gives_a_sentence_and_another_port(tmp_path: Path) -> None:
    lines: list[tuple[str, str]] = []

    def ports() -> Ports:
        return Ports(tmp_path, lambda who, text: lines.append((who, text)))

    with socket.socket() as busy:
        busy.bind((LOCAL, 0))
        busy.listen()
        port = busy.getsockname()[1]
        chosen = ports().choose("kafka", port)
    assert chosen != port
    text = f"Port {port} is in use: kafka uses port {chosen} instead, now and at the next start."
    assert lines == [("kafka", text)]
    assert notices(f"   kafka {text}\n   kafka ready after 1.2 s\n") == [f"   kafka {text}"], "what `crm up -d` shows"
    assert ports().choose("postgres", chosen) == chosen
    assert len(lines) == 1


def test_ports_stay_the_same_between_starts(tmp_path: Path) -> None:
    """The address of the intake changed at each start when its usual port was taken, and vendors could not find it."""
    lines: list[str] = []

    def ports() -> Ports:
        return Ports(tmp_path, lambda who, text: lines.append(text))

    first = ports().choose("intake", 0)
    assert ports().choose("intake", 0) == first
    with socket.socket() as busy:
        busy.bind((LOCAL, first))
        busy.listen()
        second = ports().choose("intake", 0)
    assert second != first
    assert lines == [f"Port {first} is in use: intake uses port {second} instead, now and at the next start."]
    assert ports().choose("intake", 0) == second
    wanted = any_free()
    assert ports().choose("intake", wanted) == wanted, "a port that is asked for counts more than the last one"
    assert len(lines) == 1


def test_a_damaged_file_of_ports_is_ignored(tmp_path: Path) -> None:
    (tmp_path / "ports.json").write_text("{")
    assert Ports(tmp_path, print).choose("intake", 0)


def test_another_kafka_on_our_port_is_not_taken_for_ours(kafka_bootstrap: str) -> None:
    """Two stacks started at once: one lost the race for port 9092 and wrote its topics into the other's broker."""
    assert asyncio.run(why_unreachable(kafka_bootstrap)) is None
    assert asyncio.run(why_unreachable(kafka_bootstrap, "ours")) == f"Another Kafka answers at {kafka_bootstrap}"


@embedded
def test_a_port_that_was_taken_since_it_was_chosen_is_left(tmp_path: Path) -> None:
    async def story() -> None:
        with socket.socket() as busy:
            busy.bind((LOCAL, 0))
            busy.listen()
            taken = busy.getsockname()[1]
            server = Postgres(tmp_path / "postgres", taken)
            await started(server)
            assert server.port != taken
            chosen = server.port
            await ended(server, signal.SIGKILL)
            await started(server)
            assert server.port == chosen
            await ended(server, server.stop_by)

    asyncio.run(story())


PARENT = """
import subprocess, sys
from services.stack.process import spawn
child = spawn([sys.executable, "-c", "import signal; signal.pause()"], subprocess.DEVNULL)
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_child_ends_with_a_parent_that_is_killed() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        child = psutil.Process(int(parent.stdout.readline()))
        assert child.is_running()
        os.kill(parent.pid, signal.SIGKILL)
        assert psutil.wait_procs([child], timeout=TIMEOUT)[1] == []
