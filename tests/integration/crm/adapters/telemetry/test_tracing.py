"""One trace from a POST to its rows, through the code of all roles; and nothing of it when nobody asked."""

import asyncio
import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio

from crm.adapters.memory.log import MemoryLog
from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.asgi import Observed
from crm.adapters.telemetry.spans import Spans, is_sampled
from crm.adapters.telemetry.step import Step
from crm.engine.workspaces import create_workspace
from crm.topics import JOURNAL
from services.intake.app import Intake
from services.stack.ports import LOCAL
from streams.decide import Decide
from tests.support.intake_server import CONNECTORS, NOON, OPEN, WORKSPACE, declared_access
from tests.support.isolated_journal import IsolatedJournal
from tests.support.project_role import role
from tests.support.records import Record, open_connection

CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
DECIDED = ("ContactCreated", "DealOpened", "DealAssigned")
Tree = dict[str, str]  # span's name -> its parent's


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    yield from traced(monkeypatch, 1.0)


def traced(monkeypatch: pytest.MonkeyPatch, ratio: float) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(ParentBasedTraceIdRatio(ratio), shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "spans", Spans(provider))
    yield exporter
    provider.shutdown()


def intake(log: MemoryLog) -> Observed:
    assert tracing.spans
    return Observed(Intake(declared_access(), tracing.spans.log(log), CONNECTORS, clock=lambda: NOON))


async def post(app: Any, **headers: str) -> int:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://intake") as client:
        given = {"x-proof": "s3cret", **headers}
        return (await client.post(f"/in/{OPEN}", content=b"key=1&phone=%2B380501112233", headers=given)).status_code


def tree(spans: tuple[ReadableSpan, ...]) -> Tree:
    names = {span.context.span_id: span.name for span in spans if span.context}
    return {s.name: names.get(s.parent.span_id, f"{s.parent.span_id:016x}") if s.parent else "" for s in spans}


async def through_all(kafka_bootstrap: str, dsn: str, **headers: str) -> None:
    """A form by POST, decided, published by a real relay, and projected."""
    log, own = MemoryLog(), IsolatedJournal(kafka_bootstrap, dsn)
    await own.create_topics()
    await create_workspace(dsn, WORKSPACE, "Shop")
    assert await post(intake(log), **headers) == 200
    (sent,) = log.records
    async with await open_connection(dsn) as conn:
        record = Record(sent.value or b"", 0, headers=sent.headers)
        async with conn.pipeline(), conn.transaction():
            await Decide().handle(conn, {"decide": [record]}, False)
    async with own.relaying() as relay:
        await own.published(relay)
    published = [record for records in (await own.records()).values() for record in records]
    log_of_all = [Record(r.value, r.offset, r.partition, JOURNAL.name, r.headers) for r in published]
    async with await open_connection(dsn) as conn:
        await (await role(conn)).catch_up(log_of_all)


def test_one_trace_from_the_post_to_the_rows(
    kafka_bootstrap: str, fresh_database_url: str, exporter: InMemorySpanExporter
) -> None:
    asyncio.run(through_all(kafka_bootstrap, fresh_database_url, traceparent=CALLER))
    spans = exporter.get_finished_spans()
    assert {f"{span.context.trace_id:032x}" for span in spans if span.context} == {CALLER.split("-")[1]}
    found = tree(spans)
    assert found.pop("POST /in/{connection}") == CALLER.split("-")[2]
    assert found == {
        "produce crm.intake.forms": "POST /in/{connection}",
        "decide batch": "POST /in/{connection}",
        "decide FormSubmitted": "POST /in/{connection}",
        "publish batch": "decide FormSubmitted",
        "project batch": "decide FormSubmitted",
        **{f"publish {event}": "decide FormSubmitted" for event in DECIDED},
        **{f"project {event}": "decide FormSubmitted" for event in DECIDED},
    }
    for verb in ("decide", "publish", "project"):
        (whole,) = [span.context for span in spans if span.name == f"{verb} batch" and span.context]
        steps = [span for span in spans if span.name.startswith(verb) and span.name != f"{verb} batch"]
        assert {link.context.span_id for span in steps for link in span.links} == {whole.span_id}


def test_a_caller_without_a_trace_gets_one_by_the_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    for ratio, names in ((1.0, ["POST /in/{connection}", "produce crm.intake.forms"]), (0.0, [])):
        for exporter in traced(monkeypatch, ratio):
            log = MemoryLog()
            assert asyncio.run(post(intake(log))) == 200
            assert sorted(span.name for span in exporter.get_finished_spans()) == names
            assert is_sampled(dict(log.records[0].headers)["traceparent"].decode()) is bool(names)


def test_a_batch_that_fails_says_so_on_every_span(exporter: InMemorySpanExporter) -> None:
    steps = [Step(CALLER, "FormSubmitted", {}), Step("", "FormSubmitted", {})]
    assert tracing.spans
    with pytest.raises(ZeroDivisionError), tracing.spans.batch("decide", steps) as traces:
        assert traces[1] == ""
        raise ZeroDivisionError("planted")
    assert [(span.name, span.status.description) for span in exporter.get_finished_spans()] == [
        ("decide batch", "ZeroDivisionError('planted')"),
        ("decide FormSubmitted", "ZeroDivisionError('planted')"),
    ]


class Collector(BaseHTTPRequestHandler):
    """Takes OTLP over HTTP."""

    taken: ClassVar[list[tuple[str, bytes]]] = []

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.taken.append((self.path, gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


def test_spans_arrive_at_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a role does it: by the standard variables, and what is not sent yet goes at the end."""
    server = HTTPServer((LOCAL, 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{LOCAL}:{server.server_port}"}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(tracing, "spans", None)
        tracing.start("decide", environment)
        assert tracing.spans
        assert tracing.spans.sampler.startswith("ParentBased{root:TraceIdRatioBased{1.0},")
        with tracing.spans.request("POST /facts", CALLER):
            pass
        tracing.stop()
    finally:
        server.shutdown()
        server.server_close()
    ((path, body),) = Collector.taken
    assert path == "/v1/traces"
    assert b"potik-decide" in body and b"POST /facts" in body


def test_while_it_is_off_opentelemetry_is_not_even_imported() -> None:
    roles = "import services.intake.__main__, api.__main__, streams.decide, streams.relay, streams.project, sys"
    check = "sys.exit(' '.join(name for name in sys.modules if name.startswith('opentelemetry.sdk')) or None)"
    done = subprocess.run([sys.executable, "-c", f"{roles}; {check}"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
