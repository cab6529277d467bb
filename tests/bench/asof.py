"""`crm bench asof`: one deal with a thousand events, as of many moments, on both clocks."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import envelope
from crm.adapters.postgres import history
from crm.asof import row_as_of
from crm.contract.codec import encode
from crm.envelope import Event
from crm.moments import Clock, written
from crm.scalars import Micros
from crm.topics import JOURNAL, journal_partition
from projections import PROJECTIONS
from streams.rebuild.from_empty import keep_history
from streams.rebuild.rebuild import RebuildPlan, rebuild
from tests.bench.bench_servers import BenchServers, bench_servers, running, scratch_folder
from tests.bench.machine import machine, percentiles
from tests.bench.paced_queries import Wrong, paced
from tests.bench.rebuild import PAIR
from tests.support.workload.long_history import MINUTE, long_history

GOAL = 20.0  # milliseconds
RATE, WARM_UP = 20, 1  # questions a second; seconds
DEAL = """query ($id: ID!, $at: DateTime!, $clock: Clock!) {
  deal(id: $id, asOf: {at: $at, clock: $clock}) { stage owner paid { minor } fields } }"""
Report = Callable[[str], None]


async def bench(events: int, moments: int, report: Report) -> dict[str, Any]:
    """Measures GraphQL over HTTP, and the query of `crm asof`."""
    with scratch_folder() as folder:
        async with bench_servers(folder) as servers:
            report(f"Writing a card of {events:,} events")
            card = list(long_history(servers.workspace, events))
            await write_history(servers, card)
            found = await measure_queries(servers, folder, card, moments, report)
    return {"benchmark": "as of", "machine": machine(), "settings": {"events": events, "moments": moments}, **found}


async def write_history(servers: BenchServers, events: Sequence[Event], topic: str = JOURNAL.name) -> None:
    """Writes the events to Kafka, to the history and to the read models."""
    async with AIOKafkaProducer(bootstrap_servers=servers.bootstrap) as producer:
        for position, event in enumerate(events):
            value, meta = encode(event), event.meta
            place = {"key": meta.stream.encode(), "partition": journal_partition(meta.stream)}
            headers = envelope(meta.id, meta.source, meta.trace, value, position)
            await producer.send(topic, value, headers=headers, **place)
        await producer.flush()
    await keep_history(servers.bootstrap, servers.dsn, topic)
    await rebuild(RebuildPlan(servers.bootstrap, servers.dsn, PAIR, topic, workers=1, compare=False))


async def measure_queries(
    servers: BenchServers, folder: Path, events: Sequence[Event], number: int, report: Report
) -> dict[str, Any]:
    api = servers.api(folder)
    report(f"Asking for {number:,} moments")
    plain = await measure_plain(servers, events, number)
    async with running(api):
        await paced(api.url, servers.token, DEAL, queries(events, number), RATE, WARM_UP)
        graphql = await paced(api.url, servers.token, DEAL, queries(events, number), RATE, number // RATE)
    met = plain["p99_ms"] < GOAL and graphql["p99_ms"] < GOAL and not graphql["wrong"]
    return {"graphql": graphql, "plain": plain, "goal_p99_ms": GOAL, "goal_met": met}


def moments_of(events: Sequence[Event], number: int) -> Iterator[tuple[Micros, Clock]]:
    """Yields moments from the deal's opening to its last event; the same in each run."""
    dice = Random(7)
    for _ in range(number):
        yield (
            Micros(dice.randrange(events[1].meta.recorded_at, events[-1].meta.recorded_at + MINUTE)),
            dice.choice([*Clock]),
        )


def queries(events: Sequence[Event], number: int) -> Iterator[tuple[dict[str, Any], Wrong]]:
    """Yields variables, and a check of the answer against the fold of the known events."""
    deal = PROJECTIONS["deal"]
    folded = [event for event in events if type(event) in deal.handles]
    for at, clock in moments_of(events, number):
        row = row_as_of(deal, folded, at, clock)
        variables = {"id": row.deal_id, "at": written(at), "clock": clock.name}
        yield variables, partial(is_wrong, row)


def is_wrong(row: Any, data: Any) -> bool:
    deal = data["deal"]
    return (deal["stage"], deal["owner"], deal["paid"]["minor"]) != (row.stage, row.owner, row.paid_minor)


async def measure_plain(servers: BenchServers, events: Sequence[Event], number: int) -> dict[str, float]:
    """Measures reading the events from Postgres and folding them, one query after another."""
    deal, taken = PROJECTIONS["deal"], []
    key = deal.key_of(events[1])
    async with await AsyncConnection.connect(servers.dsn, autocommit=True) as conn:
        for at, clock in moments_of(events, number):
            began = time.perf_counter()
            row_as_of(deal, await history.of_row(conn, deal, servers.workspace, key), at, clock)
            taken.append(time.perf_counter() - began)
    return percentiles(taken)
