"""Traces, from a POST to its rows: off, and OpenTelemetry not even imported, unless the environment says where to.

On with OTEL_EXPORTER_OTLP_ENDPOINT (or OTEL_TRACES_EXPORTER=otlp); what share of the traces is OTEL_TRACES_SAMPLER_ARG.
Callers ask `if tracing.spans:` once a request or batch; that is all that it costs while it is off.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import TYPE_CHECKING

import structlog

if TYPE_CHECKING:
    from crm.adapters.telemetry.spans import Spans

spans: Spans | None = None
# The first of these that is set decides.
SWITCHES = ("OTEL_TRACES_EXPORTER", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PATIENCE = 2.0  # seconds
log = structlog.get_logger()


def wanted(environment: Mapping[str, str]) -> bool:
    switch = next((environment[name] for name in SWITCHES if name in environment), "")
    return switch not in ("", "none") and environment.get("OTEL_SDK_DISABLED", "").lower() != "true"


def start(role: str, environment: Mapping[str, str] = os.environ) -> None:
    """For an entry file, once. Without the packages it says so, and the role runs untraced."""
    global spans
    if not wanted(environment):
        return
    try:
        from crm.adapters.telemetry.spans import exported
    except ImportError as missing:
        log.warning("no traces are sent; install potik[otel]", missing=missing.name)
        return
    spans = exported(role, environment)
    log.info("traces are sent", sampler=spans.sampler)


def stop() -> None:
    """Sends what is not sent yet, at the end of a process; a collector that does not answer holds up nobody."""
    if spans:
        ending = threading.Thread(target=spans.end, daemon=True)
        ending.start()
        ending.join(PATIENCE)
