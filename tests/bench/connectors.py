"""`crm bench connectors`: what each connector makes of its samples, and what a delivery costs; needs no servers."""

import statistics
import time
from typing import Any

from crm.envelope import Fact
from crm.facts import DeliveryQuarantined
from services.connectors import CONNECTORS
from services.connectors.rehearsal import rehearsals
from tests.bench.machine import machine
from tests.support.code_lines import code_lines
from tests.support.connector_samples import ConnectorSample, captured_samples, connector_samples
from tests.support.scenarios import given
from tests.support.tools import ROOT


def bench_connectors(repeats: int) -> dict[str, Any]:
    """Returns a row for each connector that receives something.

    `samples`: its own and the captured ones; `facts` and `quarantined`: what they were read as; `effects`: events that
    these facts were decided to, in one workspace; `us`: median processor time to verify and parse a delivery, in
    microseconds; `lines`: of its webhook.py, without comments, docstrings and empty lines.
    """
    samples = [*connector_samples(), *captured_samples()]
    rows = {vendor: row_of([one for one in samples if one.vendor == vendor], repeats) for vendor in rehearsals()}
    return {
        "benchmark": "crm bench connectors",
        "command": "crm bench connectors",
        "machine": machine(),
        "settings": {"repeats of each sample": repeats, "clock": "processor time"},
        "connectors": rows,
        "number_of_connectors": len(rows),
        "number_of_samples": len(samples),
        "median_us": round(statistics.median(row["us"] for row in rows.values()), 1),
    }


def row_of(samples: list[ConnectorSample], repeats: int) -> dict[str, Any]:
    vendor = samples[0].vendor
    facts = [sample.received(sample.sent()) for sample in samples]
    every: list[Fact] = [fact for found in facts for fact in found]
    bad = sum(isinstance(fact, DeliveryQuarantined) for fact in every)
    return {
        "samples": len(samples),
        "accepted": sum(bool(found) for found in facts),
        "facts": len(every) - bad,
        "effects": len(given(*every).decide.journal),
        "quarantined": bad,
        "us": round(statistics.median(time_of(sample, repeats) for sample in samples), 1),
        "lines": lines_of(vendor),
    }


def time_of(sample: ConnectorSample, repeats: int) -> float:
    """Returns the median processor time of a delivery in microseconds."""
    delivery, receive, who = sample.sent(), CONNECTORS[sample.vendor].receive, sample.connection
    spent = []
    for _ in range(repeats):
        before = time.thread_time_ns()
        receive(delivery, who)
        spent.append(time.thread_time_ns() - before)
    return statistics.median(spent) / 1_000


def lines_of(vendor: str) -> int:
    return code_lines(ROOT / "services" / "connectors" / vendor.replace("-", "_") / "webhook.py")
