"""The suites of the intake, on a memory log; and what only a memory log can play."""

import asyncio
import io
import os
from collections.abc import AsyncIterator

import fastavro
import pytest

from crm.adapters.memory.log import MemoryLog
from tests.support.deliveries_suite import DeliveriesSuite
from tests.support.fact_lines_suite import ToldSuite
from tests.support.facts_suite import CALL, FactsSuite, container, lines
from tests.support.intake_server import OPEN, House


class TestDeliveries(DeliveriesSuite):
    pass


class TestFacts(FactsSuite):
    pass


class TestTold(ToldSuite):
    pass


def test_while_kafka_is_away_nothing_is_acknowledged(house: House) -> None:
    assert isinstance(house.log, MemoryLog)
    house.log.away = "Kafka is away."
    for told in (house.post(b"key=1"), house.stream(lines(CALL))):
        assert (told.status_code, told.headers["retry-after"], told.text) == (503, "5", "Kafka is away.\n")
    assert house.send("GET", "/readyz").status_code == 503
    assert house.send("GET", "/livez").status_code == 200
    house.log.away = None
    assert house.send("GET", "/readyz").status_code == 200
    assert house.post(b"key=1").status_code == 200
    assert len(house.records()) == 1


def test_until_the_connections_are_known_nothing_is_unknown(house: House) -> None:
    """A 404 would make some vendors take the address out of use."""
    house.access.connections.clear()
    house.access.complete = False
    assert house.post(b"key=1").status_code == 503
    assert house.send("GET", f"/in/{OPEN}").status_code == 503


def test_a_slow_body_is_let_go(house: House) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"key="
        await asyncio.Event().wait()

    house.bodies.seconds = 0.2
    told = house.post(body())
    assert told.status_code == 408
    assert told.text == "The body did not arrive within 0.2 s. Nothing was kept. Send it again.\n"
    assert house.records() == []


def test_a_sender_that_goes_away_half_way_leaves_nothing(house: House) -> None:
    messages = iter([{"type": "http.request", "body": b"key=1", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/in/{OPEN}", "query_string": b"", "headers": []}
    house.run(house.app(scope, receive, send))
    assert sent == []
    assert house.records() == []


def test_bodies_together_stay_within_their_budget(house: House) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 600
        yield b"x" * 600

    house.bodies.budget = 1000
    assert house.post(body()).status_code == 503
    assert house.bodies.budget == 1000


def record(name: str, *types: object) -> dict[str, object]:
    return {"type": "record", "name": name, "fields": [{"name": f"f{n}", "type": type} for n, type in enumerate(types)]}


@pytest.mark.parametrize(
    "schema",
    [
        record("CallReported", {"type": "array", "items": "null"}),
        record("CallReported", {"type": "array", "items": record("Nothing")}),
        record("CallReported", {"type": "map", "values": ["null", {"type": "array", "items": record("N", "null")}]}),
        record("CallReported", ["null", "CallReported"]),
        record("CallReported", record("b.X", "string"), ["null", record("a.X")], {"type": "array", "items": "a.X"}),
        record("CallReported", record("E"), {"type": "array", "items": "E"}),
    ],
)
def test_a_schema_that_could_mean_endless_data_is_refused(house: House, schema: object) -> None:
    """fastavro made 200,000,000 nulls of five bytes, and a record within itself ended the process (signal 11)."""
    told = house.stream(container(schema), "application/avro")
    assert told.status_code == 400
    assert told.json()["error"].startswith("The Avro file cannot be read: its schema ")


def test_an_avro_bomb_is_refused(house: House) -> None:
    text = record("CallReported", "bytes")
    told = house.stream(container(text, {"f0": bytes(65_000_000)}), "application/avro")
    assert told.status_code == 413
    assert told.json()["error"] == "The file inflates to more than 64000000 bytes. Nothing was kept. Split it."


def test_a_container_of_too_many_is_refused(house: House) -> None:
    file = container(record("CallReported", "null"), *[{"f0": None}] * 10_001)
    assert house.stream(file, "application/avro").status_code == 413


def test_another_codec_is_refused(house: House) -> None:
    file = io.BytesIO()
    fastavro.writer(file, record("CallReported", "string"), [{"f0": "x"}], codec="bzip2", sync_marker=os.urandom(16))
    told = house.stream(file.getvalue(), "application/avro")
    assert "its codec is 'bzip2'; null and deflate are read" in told.json()["error"]
