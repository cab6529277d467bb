"""The clients of docs/examples/kafka, built and run as they stand. Skipped where a tool is missing."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from api.app import App
from api.live.changes import Changes
from crm.contract.codec import decode
from crm.envelope import Fact
from crm.facts import CallReported, FormSubmitted
from crm.topics import INTAKE
from services.stack import kafka_files
from tests.simulator.servers import served
from tests.support.tools import PYTHON, ROOT

EXAMPLES = ROOT / "docs" / "examples" / "kafka"
AVRO = "org.apache.avro:avro:1.12.0"
SLOW = 300  # seconds: the first build downloads libraries


def tool(*names: str) -> None:
    if missing := [name for name in names if not shutil.which(name)]:
        pytest.skip(f"{', '.join(missing)} is not installed here")


def run(command: list[str], folder: Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, timeout=SLOW
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


async def facts_of(bootstrap: str, workspace: str) -> dict[str, list[Fact]]:
    """Returns the facts of a workspace by their key, in order."""
    topic = INTAKE["facts"]
    found: dict[str, list[Fact]] = {}
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, fetch_max_wait_ms=20) as consumer:
        partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        for partition in partitions:
            consumer.seek(partition, 0)
        while any([await consumer.position(p) < ends[p] for p in partitions]):
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    fact = decode(record.value)
                    if fact.meta.workspace == workspace:
                        found.setdefault(record.key.decode(), []).append(fact)
    return found


def check(bootstrap: str, workspace: str, language: str, phone: str) -> None:
    """Each of three senders has a form and then a call, in one partition under one key, with defaults filled in."""
    found = asyncio.run(facts_of(bootstrap, workspace))
    assert len(found) == 3
    for key, facts in found.items():
        form, call = facts
        assert isinstance(form, FormSubmitted) and isinstance(call, CallReported)
        number = form.fields["order"]
        assert form.meta.stream == call.meta.stream == key
        assert (form.name, form.phones[0].e164, form.currency) == (f"Олена {number}", f"{phone}{number}", "")
        assert (call.call, call.phase, call.direction) == (f"{language}-{number}", "completed", "in")
        assert call.phone == form.phones[0]
        assert (form.meta.occurred_at, call.meta.occurred_at) == (1_772_359_200_000_000, 1_772_359_260_000_000)
        assert form.raw.body == f'{{"order":{number}}}'.encode()


def test_the_java_client_writes_what_is_read(kafka_bootstrap: str, tmp_path: Path) -> None:
    tool("javac", "java")
    jars = kafka_files.cache() / AVRO.replace(":", "-")
    if not jars.exists():
        try:
            found = kafka_files.resolve(tmp_path / "maven", (*kafka_files.JARS, AVRO))
        except Exception as error:  # jgo raises errors of many libraries
            pytest.skip(f"{AVRO} could not be downloaded: {error!r}")
        (made := tmp_path / "jars").mkdir()
        for jar in found:
            shutil.copy(jar, made / jar.name)
        shutil.copytree(made, jars, dirs_exist_ok=True)
    classpath = f"{kafka_files.classpath(jars)}:{tmp_path}"
    run(["javac", "-cp", classpath, "-d", str(tmp_path), str(EXAMPLES / "java" / "Produce.java")], ROOT)
    workspace = str(uuid4())
    servers = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "WORKSPACE": workspace}
    assert run(["java", "-cp", classpath, "Produce"], ROOT, **servers) == "6 facts are in crm.intake.facts\n"
    check(kafka_bootstrap, workspace, "java", "+38050765432")


def test_the_go_client_writes_what_is_read(kafka_bootstrap: str, tmp_path: Path) -> None:
    tool("go")
    folder = EXAMPLES / "go"
    fetched = subprocess.run(["go", "mod", "download"], cwd=folder, capture_output=True, text=True, timeout=SLOW)
    if fetched.returncode:
        pytest.skip(f"its modules could not be downloaded: {fetched.stderr.strip()[-300:]}")
    run(["go", "build", "-o", str(tmp_path / "produce"), "."], folder)
    workspace = str(uuid4())
    servers = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "WORKSPACE": workspace}
    assert run([str(tmp_path / "produce")], ROOT, **servers) == "6 facts are in crm.intake.facts\n"
    check(kafka_bootstrap, workspace, "go", "+38050654321")


def test_a_client_that_asks_a_registry_writes_what_is_read(kafka_bootstrap: str) -> None:
    workspace = str(uuid4())
    no_rows: Any = None  # nothing of it is asked here
    api = App(no_rows, no_rows, Changes(""), lambda: None)

    async def produce() -> str:
        async with served(api) as url:
            servers = {"KAFKA_BOOTSTRAP": kafka_bootstrap, "WORKSPACE": workspace, "REGISTRY": f"{url}/registry"}
            return await asyncio.to_thread(
                run, [str(PYTHON), str(EXAMPLES / "registry" / "produce.py")], ROOT, **servers
            )

    assert asyncio.run(produce()) == "6 facts are in crm.intake.facts\n6 facts were read back\n"
    check(kafka_bootstrap, workspace, "confluent", "+38050543210")
