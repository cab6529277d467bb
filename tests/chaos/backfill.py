"""Runs backfills on a cluster with two replicas of decide, one of which is killed in the middle.

`python -m tests.chaos.backfill DATA PAIRS` prints what became of each as JSON. The facts wait in Kafka while decide is
away, so that it finds all of them at once, as it does in a backfill that is sent faster than it is decided.
"""

import asyncio
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import httpx
from aiokafka import AIOKafkaProducer
from psycopg import AsyncConnection

from crm.contract.codec import encode
from crm.decisions import RULES
from crm.envelope import Fact
from crm.topics import DECIDED, TOPICS
from crm.versions import OPEN_API
from services.stack.process import until
from tests.chaos.cluster import Cluster, plan, running_cluster
from tests.chaos.progress_probe import ProgressProbe, Snapshot, wait_until_idle
from tests.chaos.tenants import create_tenant, missing_tenant
from tests.support.timeouts import TIMEOUT
from tests.support.workload.deliveries import Tenant
from tests.support.workload.pairs import pair_facts, pair_lines

REQUEST = 2_000  # lines of one POST
DEALS = "SELECT source, count(*), count(DISTINCT contact_id) FROM read.deal WHERE workspace = %s GROUP BY source"


async def over_http(cluster: Cluster, tenant: Tenant, pairs: int) -> None:
    headers = {"authorization": f"Bearer {tenant.token}", "content-type": "application/x-ndjson"}
    lines = list(pair_lines(pairs))
    async with httpx.AsyncClient(trust_env=False, timeout=TIMEOUT) as http:
        await until(lambda: missing_tenant(http, cluster.intake_urls[0], tenant), TIMEOUT)
        for start in range(0, len(lines), REQUEST):
            body = b"\n".join(lines[start : start + REQUEST])
            answer = await http.post(f"{cluster.intake_urls[0]}/facts", content=body, headers=headers)
            assert answer.text.count('"accepted"') == len(lines[start : start + REQUEST]), answer.text[:500]


async def to_kafka(cluster: Cluster, facts: Iterable[Fact], topic_of: Callable[[Fact], str]) -> None:
    """As a client of its own does, by the partitioner of its library."""
    async with AIOKafkaProducer(bootstrap_servers=cluster.bootstrap, enable_idempotence=True) as producer:
        sent = [await producer.send(topic_of(fact), encode(fact), fact.meta.stream.encode()) for fact in facts]
        await asyncio.gather(*sent)


def open_topic(_: Fact) -> str:
    return TOPICS["facts"].name


def topic_of_its_type(fact: Fact) -> str:
    """Where a release before decision 35 wrote the facts of the open API."""
    return TOPICS[RULES[type(fact)].family].name


async def to_one_topic(cluster: Cluster, tenant: Tenant, pairs: int) -> None:
    await to_kafka(cluster, pair_facts(tenant.workspace, pairs), open_topic)


async def to_old_topics(cluster: Cluster, tenant: Tenant, pairs: int) -> None:
    """Only at the first start of decide: then it takes over what a release before decision 35 left."""
    await to_kafka(cluster, pair_facts(tenant.workspace, pairs, OPEN_API), topic_of_its_type)


ROUTES: dict[str, Callable[[Cluster, Tenant, int], Awaitable[None]]] = {
    "old topics": to_old_topics,
    "http": over_http,
    "kafka": to_one_topic,
}


def waiting(snapshot: Snapshot) -> int:
    """Returns how many facts are not decided yet."""
    decided = snapshot.offsets.get("decide", {})
    places = [(topic.name, number) for topic in DECIDED for number in range(topic.partitions)]
    return sum(snapshot.ends[place] - decided.get(place, 0) for place in places)


async def backfill(cluster: Cluster, probe: ProgressProbe, route: str, pairs: int) -> dict[str, Any]:
    tenant = await create_tenant(cluster, route)
    replicas = [part.name for part in cluster.replicas("decide")]
    for name in replicas:
        cluster.hold(name)
        await cluster.kill(
            name, SIGTERM
        )  # it leaves its group: those that follow need not wait until it counts as dead
    await ROUTES[route](cluster, tenant, pairs)
    before, began = waiting(await probe.snapshot()), time.monotonic()
    for name in replicas:
        cluster.release(name)

    async def not_half() -> str | None:
        left = waiting(await probe.snapshot())
        return None if left < before else f"{left} of {before} facts wait"

    await until(not_half, TIMEOUT)
    await cluster.kill(replicas[-1], SIGKILL)
    behind = await wait_until_idle(probe, TIMEOUT)
    seconds = time.monotonic() - began
    async with await AsyncConnection.connect(cluster.dsn) as conn:
        found = await (await conn.execute(DEALS, [tenant.workspace])).fetchall()
    deals = {source: count for source, count, _ in found}
    contacts = sum(people for *_, people in found)
    return {
        "route": route,
        "waited": before,
        "deals": deals,
        "contacts": contacts,
        "behind": behind,
        "seconds": seconds,
    }


async def run(data: Path, pairs: int, routes: list[str]) -> list[dict[str, Any]]:
    with (data / "cluster.log").open("a") as log:
        cluster = Cluster(
            plan(data, os.environ, {"decide": 2}), lambda who, text: print(f"{who:>10} {text}", file=log, flush=True)
        )
        async with running_cluster(cluster), ProgressProbe(cluster.bootstrap, cluster.dsn, lambda: 0) as probe:
            return [await backfill(cluster, probe, route, pairs) for route in routes]


if __name__ == "__main__":
    folder, count, *chosen = sys.argv[1:]
    print(json.dumps(asyncio.run(run(Path(folder), int(count), chosen or [*ROUTES]))))
