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


def each(before: Mapping[str, float], after: Mapping[str, float], count: int, least: float) -> Amounts:
    """Returns what one of `count` facts added, the most first, without what is below `least`."""
    added = {name: round((after[name] - before.get(name, 0.0)) / count, 1) for name in after}
    return {name: one for name, one in sorted(added.items(), key=lambda pair: -pair[1]) if one >= least}


def bench_cost(
    here: Target, folder: Path, workspace: Id, rate: int, seconds: int, report: Callable[[str], None]
) -> dict[str, Any]:
    """Returns microseconds and bytes a fact, over `seconds` of `rate` facts a second, after a third as many before."""

    def run(for_seconds: int) -> dict[str, Any]:
        return asyncio.run(
            bench_streaming(here.kafka_bootstrap, here.database_url, workspace, rate, for_seconds, report)
        )

    run(max(1, seconds // 3))  # until compilers and caches are warm
    with psycopg.connect(here.database_url, autocommit=True) as conn:
        lay, began = stored(folder, conn), spent(folder, conn)
        flow = run(seconds)
        ended, lies = spent(folder, conn), stored(folder, conn)
    facts = flow["facts"]
    microseconds = {name: took * 1e6 for name, took in began.items()}
    processor = each(microseconds, {name: took * 1e6 for name, took in ended.items()}, facts, 1.0)
    places = each(lay, lies, facts, 1.0)
    return {
        "benchmark": "cost",
        "command": f"crm bench cost --rate {rate} --seconds {seconds}",
        "machine": machine(),
        "settings": flow["settings"] | {"facts": facts},
        "processor_us_per_fact": processor,
        "bytes_per_fact": places,
        "journal_events_per_fact": round(flow["journal_events"] / facts, 2),
        "processor_us_per_fact_together": round(sum(processor.values())),
        "kafka_bytes_per_fact": round(sum(size for place, size in places.items() if place.startswith("kafka"))),
        "postgres_bytes_per_fact": round(
            sum(size for place, size in places.items() if place.startswith("postgres") and "log" not in place)
        ),
    }
