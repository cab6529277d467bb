"""`crm bench cost`: what a fact costs, in processor time by process and in bytes by place, on the running stack.

Facts go straight to Kafka, so that intake has no share; neither has this program. Processor time hardly depends on what
else the machine does, so it can be measured where a rate cannot.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import psutil
import psycopg

from crm.scalars import Id
from services.cli.target import Target
from tests.bench.idle import own_time, processor_times
from tests.bench.machine import machine
from tests.bench.streaming import bench_streaming

SESSIONS = "SELECT pid, application_name FROM pg_stat_activity WHERE backend_type = 'client backend'"
SIZES = """
SELECT n.nspname || CASE n.nspname WHEN 'core' THEN '.' || c.relname ELSE '' END,
       sum(pg_total_relation_size(c.oid))::bigint
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' GROUP BY 1"""
WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
AT_ONCE = 10_000  # facts a second, more than a small machine takes: they wait, and batches are full
PARTITION = re.compile(r"(crm\..+)-\d+")
Amounts = dict[str, float]


def spent(folder: Path, conn: psycopg.Connection[Any]) -> Amounts:
    """Returns seconds of processor time by process; those of Postgres by the role that it works for."""
    found = {re.sub(r"-\d+$", "", name): took for name, took in processor_times(folder).items()}
    for pid, name in conn.execute(SESSIONS).fetchall():
        if name.startswith("crm ") and psutil.pid_exists(pid):
            took = own_time(psutil.Process(pid))
            role = f"postgres for {name.split()[1]}"
            found[role], found["postgres"] = found.get(role, 0.0) + took, found["postgres"] - took
    return found


def stored(folder: Path, conn: psycopg.Connection[Any]) -> Amounts:
    """Returns bytes by topic, and in Postgres by table of `core`, by schema else, and of the write-ahead log."""
    found: Amounts = defaultdict(float)
    for segment in (folder / "kafka" / "log").glob("crm.*/*.log"):
        if topic := PARTITION.fullmatch(segment.parent.name):
            found[f"kafka {topic[1]}"] += segment.stat().st_size
    conn.execute("CHECKPOINT")
    found |= {f"postgres {place}": size for place, size in conn.execute(SIZES).fetchall()}
    (written,) = conn.execute(WRITTEN).fetchone() or (0,)
    return found | {"postgres write-ahead log, written": written}


def each(before: Mapping[str, float], after: Mapping[str, float], count: int, unit: float) -> Amounts:
    """Returns what one of `count` facts added, without what is less than 1; whole from 100 on."""
    added = {name: (after[name] - before.get(name, 0.0)) * unit / count for name in after}
    return {name: round(one, 1) if one < 100 else round(one) for name, one in added.items() if one >= 1}


def bench_cost(
    here: Target, folder: Path, workspace: Id, rate: int, seconds: int, report: Callable[[str], None]
) -> dict[str, Any]:
    """Returns microseconds and bytes a fact: of facts that come at a steady rate, and of as many that come at once."""

    def run(a_second: int, for_seconds: int) -> dict[str, Any]:
        return asyncio.run(
            bench_streaming(here.kafka_bootstrap, here.database_url, workspace, a_second, for_seconds, report)
        )

    run(rate, max(1, seconds // 3))  # until compilers and caches are warm
    loads = {"steady": (rate, seconds), "at once": (AT_ONCE, max(1, rate * seconds // AT_ONCE))}
    processor: dict[str, Amounts] = defaultdict(dict)
    places: dict[str, Amounts] = defaultdict(dict)
    facts = events = 0
    with psycopg.connect(here.database_url, autocommit=True) as conn:
        for load, paced in loads.items():
            lay, began = stored(folder, conn), spent(folder, conn)
            flow = run(*paced)
            ended, lies = spent(folder, conn), stored(folder, conn)
            facts, events = facts + flow["facts"], events + flow["journal_events"]
            for found, before, after, unit in ((processor, began, ended, 1e6), (places, lay, lies, 1)):
                for name, one in each(before, after, flow["facts"], unit).items():
                    found[name][load] = one
    return {
        "benchmark": "cost",
        "command": f"crm bench cost --rate {rate} --seconds {seconds}",
        "machine": machine(),
        "settings": {"rate": rate, "seconds": seconds, "mixture": flow["settings"]["mixture"], "facts": facts},
        "processor_us_per_fact": with_sums(processor, {"together": ""}),
        "bytes_per_fact": with_sums(places, {"Kafka together": "kafka", "Postgres together": "postgres"}),
        "journal_events_per_fact": round(events / facts, 2),
    }


def with_sums(found: Mapping[str, Amounts], sums: Mapping[str, str]) -> dict[str, Amounts]:
    """Returns the rows, the most first, and sums by how names begin; what was only written is in none."""
    listed = dict(sorted(found.items(), key=lambda pair: -max(pair[1].values())))
    for name, start in sums.items():
        rows = [row for one, row in found.items() if one.startswith(start) and not one.endswith("written")]
        listed[name] = {load: round(sum(row.get(load, 0.0) for row in rows)) for load in rows[0]}
    return listed
