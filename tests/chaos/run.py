"""Runs one fault: new cluster, load, injections, idle, invariants."""

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos import invariants
from tests.chaos.cluster import Cluster, plan, running_cluster
from tests.chaos.fault_run import FaultRun
from tests.chaos.faults import Fault
from tests.chaos.load import Load
from tests.chaos.outcome import Outcome, recovery, too_slow
from tests.chaos.progress_probe import ProgressProbe, wait_until_idle
from tests.chaos.subscriber_probe import SubscriberProbe
from tests.chaos.tenants import create_tenants
from tests.chaos.unavailable import Unavailable
from tests.chaos.webhook_probe import webhook_probe

QUIET = 60.0  # seconds without any movement after which what is behind stays behind
TRIED_AGAIN = 400.0  # seconds: a webhook that failed twice, as on a busy machine, is tried again after five minutes
Report = Callable[[str], None]


async def run_fault(
    fault: Fault, data: Path, environment: Mapping[str, str], facts: int, rate: int, seed: str, report: Report
) -> Outcome:
    """Runs the fault in an empty folder; the log is `cluster.log`. Raises only Unavailable:
    other errors of the run are in its outcome, so that the next fault can run."""
    with (data / "cluster.log").open("a") as log:
        cluster = Cluster(
            plan(data, environment, fault.replicas, fault.roles, fault.brokers),
            lambda who, text: print(f"{datetime.now():%T.%f} {who:>10} {text}", file=log, flush=True),
            fault.links,
        )
        try:
            return await run(fault, cluster, facts, rate, seed, lambda text: report(f"{fault.name}: {text}"))
        except Unavailable:
            raise
        except Exception as error:
            traceback.print_exc(file=log)
            why = f"the run itself failed: {error!r}"
            return Outcome(fault.name, 0, 0, 0, 0, 0, recovery([]), False, [why], 0.0)


async def run(fault: Fault, cluster: Cluster, facts: int, rate: int, seed: str, report: Report) -> Outcome:
    """Runs the fault on a new cluster. `report` gets the progress."""
    began, seed = time.monotonic(), f"{seed}/{fault.name}"
    report("starts")
    with fault.around(cluster):
        async with running_cluster(cluster):
            tenants = await create_tenants(cluster)
            load = Load(cluster.intake_urls, tenants, fault.pace(rate, facts), facts, seed)
            subscribers = [
                SubscriberProbe(cluster.graphql_urls, tenant.token, tenant.workspace) for tenant in tenants[:1]
            ]
            async with (
                webhook_probe(cluster, tenants[1]) as receiver,
                ProgressProbe(cluster.bootstrap, cluster.dsn, lambda: load.acked) as probe,
            ):
                fault_run = FaultRun(fault, cluster, tenants, load, probe, random.Random(seed))
                async with in_background(load.run(), *(subscriber.run() for subscriber in subscribers)) as (
                    loading,
                    *_,
                ):
                    await fault_run.while_loaded(loading, report)
                    report(f"{load.acked:,} facts, waits for quiet")
                    behind = await wait_until_idle(probe, QUIET)
                    fault_run.expect(not behind, f"nothing moves any more, and {'; '.join(behind[:3])}")
                    heads = (await probe.snapshot()).heads
                    for subscriber in subscribers:
                        fault_run.expect(
                            await caught_up(subscriber, heads), f"a subscriber is not at {heads} after {QUIET:g} s"
                        )
                    late = await receiver.caught_up(TRIED_AGAIN)
                    fault_run.expect(late is None, f"a receiver of webhooks waits after {TRIED_AGAIN:g} s: {late}")
            report("checks the invariants")
            with fault.known():
                verdict = await invariants.check(
                    cluster.bootstrap,
                    cluster.dsn,
                    load.ledger,
                    [w.observed for w in subscribers],
                    [receiver.received],
                )
    fault_run.expect(bool(fault_run.recoveries), "nothing was broken: the load was over before, give it more facts")
    broken = [*fault_run.broken, *too_slow(fault_run.recoveries, fault.bound, fault_run.slowest), *verdict.broken]
    return Outcome(
        fault=fault.name,
        acked=verdict.acked,
        effects=verdict.effects,
        lost=verdict.lost,
        duplicated=verdict.duplicated,
        injections=len(fault_run.recoveries),
        recovery_s=recovery(fault_run.recoveries),
        ok=not (broken or verdict.lost or verdict.duplicated),
        broken=broken,
        seconds=round(time.monotonic() - began, 1),
    )


async def caught_up(subscriber: SubscriberProbe, heads: Mapping[int, int]) -> bool:
    try:
        await asyncio.wait_for(subscriber.caught_up(heads), QUIET)
    except TimeoutError:
        return False
    return True


@contextlib.asynccontextmanager
async def in_background(*work: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runs coroutines in the background until the block ends."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
