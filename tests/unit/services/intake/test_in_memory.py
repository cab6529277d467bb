"""The suites of the intake, on a memory log; and what only a memory log can play."""

import asyncio
import io
import os
from collections.abc import AsyncIterator

import fastavro
import pytest

from crm.adapters.memory.log import MemoryLog
from crm.log import Record
from services.intake.bulk import PART
from tests.support.deliveries_suite import DeliveriesSuite
from tests.support.fact_lines_suite import FactLinesSuite
from tests.support.fact_verdicts_suite import FactVerdictsSuite
from tests.support.facts_suite import CALL, FactsSuite, container, lines
from tests.support.intake_server import OPEN, IntakeServer


class TestDeliveries(DeliveriesSuite):
    pass


class TestFacts(FactsSuite):
    pass


class TestFactLines(FactLinesSuite):
    pass


class TestFactVerdicts(FactVerdictsSuite):
    pass


def test_while_kafka_is_away_nothing_is_acknowledged(server: IntakeServer) -> None:
    assert isinstance(server.log, MemoryLog)
    server.log.away = "Kafka is away."
    for answer in (server.post(b"key=1"), server.stream(lines(CALL))):
        assert (answer.status_code, answer.headers["retry-after"], answer.text) == (503, "5", "Kafka is away.\n")
    assert server.send("GET", "/readyz").status_code == 503
    assert server.send("GET", "/livez").status_code == 200
    server.log.away = None
    assert server.send("GET", "/readyz").status_code == 200
    assert server.post(b"key=1").status_code == 200
    assert len(server.records()) == 1


def test_a_large_request_whose_second_part_fails_is_sent_again_and_counts_once(
    server: IntakeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its parts are stored one after the other."""
    assert isinstance(server.log, MemoryLog)
    log, send, parts = server.log, server.log.send, 0

    def fails_once(*records: Record) -> asyncio.Future[None]:
        nonlocal parts
        parts += 1
        log.away = "Kafka is away." if parts == 2 else None
        sent = send(*records)
        log.away = None
        return sent

    monkeypatch.setattr(log, "send", fails_once)
    body = b'{"type":"FormSubmitted"}\n' * (2 * PART + 1)
    answer = server.stream(body, "application/x-ndjson", idempotency_key="k")
    assert (answer.status_code, answer.text, len(server.records())) == (503, "Kafka is away.\n", PART)
    again = server.stream(body, "application/x-ndjson", idempotency_key="k")
    assert (again.text.count('"repeated"'), again.text.count('"accepted"')) == (PART, PART + 1)
    assert len({dict(record.headers)["ce_id"] for record in server.records()}) == 2 * PART + 1


def test_until_the_connections_are_known_nothing_is_unknown(server: IntakeServer) -> None:
    """A 404 would make some vendors take the address out of use."""
    server.access.connections.clear()
    server.access.complete = False
    assert server.post(b"key=1").status_code == 503
    assert server.send("GET", f"/in/{OPEN}").status_code == 503


def test_a_slow_body_is_let_go(server: IntakeServer) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"key="
        await asyncio.Event().wait()

    server.bodies.seconds = 0.2
    answer = server.post(body())
    assert answer.status_code == 408
    assert answer.text == "The body did not arrive within 0.2 s. Nothing was kept. Send it again.\n"
    assert server.records() == []


def test_a_sender_that_goes_away_half_way_leaves_nothing(server: IntakeServer) -> None:
    messages = iter([{"type": "http.request", "body": b"key=1", "more_body": True}, {"type": "http.disconnect"}])
    sent: list[object] = []

    async def receive() -> dict[str, object]:
        return next(messages)

    async def send(message: object) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": f"/in/{OPEN}", "query_string": b"", "headers": []}
    server.run(server.app(scope, receive, send))
    assert sent == []
    assert server.records() == []


def test_bodies_together_stay_within_their_budget(server: IntakeServer) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 600
        yield b"x" * 600

    server.bodies.budget = 1000
    assert server.post(body()).status_code == 503
    assert server.bodies.budget == 1000


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
def test_a_schema_that_could_mean_endless_data_is_refused(server: IntakeServer, schema: object) -> None:
    """fastavro made 200,000,000 nulls of five bytes, and a recursive record ended the process (signal 11)."""
    answer = server.stream(container(schema), "application/avro")
    assert answer.status_code == 400
    assert answer.json()["error"].startswith("The Avro file cannot be read: its schema ")


def test_an_avro_bomb_is_refused(server: IntakeServer) -> None:
    text = record("CallReported", "bytes")
    answer = server.stream(container(text, {"f0": bytes(65_000_000)}), "application/avro")
    assert answer.status_code == 413
    assert answer.json()["error"] == "The file is larger than 64000000 bytes when inflated. Nothing was kept. Split it."


def test_a_container_of_too_many_is_refused(server: IntakeServer) -> None:
    file = container(record("CallReported", "null"), *[{"f0": None}] * 50_001)
    assert server.stream(file, "application/avro").status_code == 413


def test_another_codec_is_refused(server: IntakeServer) -> None:
    file = io.BytesIO()
    fastavro.writer(file, record("CallReported", "string"), [{"f0": "x"}], codec="bzip2", sync_marker=os.urandom(16))
    answer = server.stream(file.getvalue(), "application/avro")
    assert "its codec is 'bzip2'; supported are null and deflate" in answer.json()["error"]
