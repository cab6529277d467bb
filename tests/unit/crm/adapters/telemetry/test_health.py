"""/livez, /readyz and /metrics of a role."""

import asyncio

import pytest

from crm.adapters.telemetry import health
from crm.adapters.telemetry.metrics import HANDLED


def missing() -> str | None:
    return "decide has not joined its consumer group yet"


def nothing_missing() -> str | None:
    return None


@pytest.mark.parametrize("ready", [missing, nothing_missing])
def test_it_lives_whether_it_is_ready_or_not(ready: health.Ready) -> None:
    assert health.answer("/livez", ready) == (200, b"ok\n", "text/plain")


def test_ready_says_what_is_missing() -> None:
    sentence = b"decide has not joined its consumer group yet\n"
    assert health.answer("/readyz", missing) == (503, sentence, "text/plain; charset=utf-8")
    assert health.answer("/readyz", nothing_missing) == (200, b"ok\n", "text/plain")


def test_metrics_are_prometheus_text() -> None:
    HANDLED.labels("test_health").inc(7)
    answer = health.answer("/metrics", missing)
    assert answer is not None
    status, body, kind = answer
    assert (status, kind.partition(";")[0]) == (200, "text/plain")
    assert b'\ncrm_records_handled_total{consumer="test_health"} 7.0\n' in body
    assert b"\n# HELP kafka_consumergroup_lag Records behind the end of the log.\n" in body


@pytest.mark.parametrize("path", ["/", "/livez/", "/readyz2", "/METRICS", ""])
def test_any_other_path_is_unknown(path: str) -> None:
    assert health.answer(path, nothing_missing) is None


def test_port_zero_serves_nothing() -> None:
    asyncio.run(health.serve(0, nothing_missing))
