"""The spans of a trace, by OpenTelemetry: one for the request, then one a step, each a child of the one before.

The trace goes along as a W3C traceparent in meta.trace and in the Kafka header. Imported by
crm.adapters.telemetry.tracing alone, and only where traces are wanted.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.trace import Link, SpanKind, Status, StatusCode, get_current_span, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from crm.adapters.telemetry.step import Step
from crm.log import Log, Record

WIRE = TraceContextTextMapPropagator()


class Spans:
    """Makes spans and hands them to a provider."""

    def __init__(self, provider: TracerProvider) -> None:
        self.provider, self.tracer = provider, provider.get_tracer("potik")
        self.sampler = provider.sampler.get_description()

    def end(self) -> None:
        self.provider.shutdown()

    def log(self, log: Log) -> "TracedLog":
        return TracedLog(log, self)

    @contextmanager
    def request(self, name: str, traceparent: str) -> Iterator[None]:
        """Goes on with the caller's trace, or begins one."""
        with self.tracer.start_as_current_span(name, context_of(traceparent), SpanKind.SERVER):
            yield

    def here(self) -> str:
        """The current span as a traceparent."""
        return traceparent_of(None)

    @contextmanager
    def batch(self, verb: str, steps: Sequence[Step]) -> Iterator[list[str]]:
        """A span for the batch and one for each step that is sampled, in the step's own trace and linked to the batch.

        Gives what goes along from here: the new spans' traceparents, and unchanged those that are not sampled.
        An error that leaves the block is recorded on every span.
        """
        after = [step.traceparent for step in steps]
        parents = {n: context_of(trace) for n, trace in enumerate(after) if is_sampled(trace)}
        if not parents:
            yield after
            return
        origins = [Link(get_current_span(parent).get_span_context()) for parent in parents.values()]
        count = {"messaging.batch.message_count": len(steps)}
        # It lies in the first step's trace: a trace of its own might not be sampled.
        first = next(iter(parents.values()))
        whole = self.tracer.start_span(f"{verb} batch", first, SpanKind.CONSUMER, count, origins)
        spans, link = [whole], [Link(whole.get_span_context())]
        for n, parent in parents.items():
            step = steps[n]
            span = self.tracer.start_span(f"{verb} {step.name}", parent, SpanKind.CONSUMER, step.attributes, link)
            spans.append(span)
            after[n] = traceparent_of(set_span_in_context(span))
        try:
            yield after
        except Exception as error:
            for span in spans:
                span.set_status(Status(StatusCode.ERROR, repr(error)))
            raise
        finally:
            for span in spans:
                span.end()


class TracedLog:
    """A log whose sends are spans of the request that makes them."""

    def __init__(self, log: Log, spans: Spans) -> None:
        self.log, self.spans = log, spans

    def missing(self) -> str | None:
        return self.log.missing()

    async def send(self, *records: Record) -> None:
        name = "produce " + ", ".join(sorted({record.topic for record in records}))
        attributes: dict[str, str | int] = {"messaging.system": "kafka", "messaging.batch.message_count": len(records)}
        with self.spans.tracer.start_as_current_span(name, kind=SpanKind.PRODUCER, attributes=attributes):
            await self.log.send(*records)


def exported(role: str, environment: Mapping[str, str]) -> Spans:
    """Sent by OTLP over HTTP in the background; the exporter reads its own variables."""
    ratio = float(environment.get("OTEL_TRACES_SAMPLER_ARG", "1"))
    sampler = None if "OTEL_TRACES_SAMPLER" in environment else ParentBasedTraceIdRatio(ratio)  # None: the SDK reads it
    resource = Resource.create({"service.name": environment.get("OTEL_SERVICE_NAME", f"potik-{role}")})
    provider = TracerProvider(sampler, resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return Spans(provider)


def context_of(traceparent: str) -> Context:
    """Empty when there is none."""
    return WIRE.extract({"traceparent": traceparent}, Context())


def traceparent_of(context: Context | None) -> str:
    carrier: dict[str, str] = {}
    WIRE.inject(carrier, context)
    return carrier.get("traceparent", "")


def is_sampled(traceparent: str) -> bool:
    """The trace is sampled: its spans are exported."""
    return bool(traceparent) and bool(int(traceparent[-2:], 16) & 1)
