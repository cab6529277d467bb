"""One fault from an empty stand to its outcome: load, injections, quiet, laws."""

import asyncio
import contextlib
import random
import time
import traceback
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.chaos import laws
from tests.chaos.faults import Fault
from tests.chaos.load import Load
from tests.chaos.outcome import Outcome, recovery, too_slow
from tests.chaos.pulse import Pulse, quiet
from tests.chaos.scene import Acts
from tests.chaos.shops import opened
from tests.chaos.stand import Stand, plan, standing
from tests.chaos.unavailable import Unavailable
from tests.chaos.watcher import Watcher

QUIET = 60.0  # seconds without any movement after which what is behind stays behind
Told = Callable[[str], None]


async def play(
    fault: Fault, data: Path, environment: Mapping[str, str], facts: int, rate: int, seed: str, told: Told
) -> Outcome:
    """On a new stand in an empty folder; its log is `stand.log`. Raises Unavailable, and nothing else: what goes wrong
    with the run itself is told in its outcome, and others can go on."""
    with (data / "stand.log").open("a") as log:
        stand = Stand(
            plan(data, environment, fault.replicas, fault.roles),
            lambda who, text: print(f"{datetime.now():%T.%f} {who:>10} {text}", file=log, flush=True),
            fault.ways,
        )
        try:
            return await run(fault, stand, facts, rate, seed, lambda text: told(f"{fault.name}: {text}"))
        except Unavailable:
            raise
        except Exception as error:
            traceback.print_exc(file=log)
            why = f"the run itself failed: {error!r}"
            return Outcome(fault.name, 0, 0, 0, 0, 0, recovery([]), False, [why], 0.0)


async def run(fault: Fault, stand: Stand, facts: int, rate: int, seed: str, told: Told) -> Outcome:
    """On a stand that nobody has used yet. `told` hears how far it is."""
    began, seed = time.monotonic(), f"{seed}/{fault.name}"
    told("starts")
    with fault.around(stand):
        async with standing(stand):
            shops = await opened(stand)
            load = Load(stand.intake_urls, shops, fault.pace(rate, facts), facts, seed)
            watchers = [Watcher(stand.graphql_urls, shop.token, shop.workspace) for shop in shops[:1]]
            async with Pulse(stand.bootstrap, stand.dsn, lambda: load.acked) as pulse:
                acts = Acts(fault, stand, shops, load, pulse, random.Random(seed))
                async with beside(load.run(), *(watcher.run() for watcher in watchers)) as (loading, *_):
                    await acts.while_loaded(loading, told)
                    told(f"{load.acked:,} facts, waits for quiet")
                    behind = await quiet(pulse, QUIET)
                    acts.expect(not behind, f"nothing moves any more, and {'; '.join(behind[:3])}")
                    heads = (await pulse.look()).heads
                    for watcher in watchers:
                        acts.expect(
                            await caught_up(watcher, heads), f"a subscriber is not at {heads} after {QUIET:g} s"
                        )
            told("holds the laws against it")
            with fault.known():
                verdict = await laws.check(stand.bootstrap, stand.dsn, load.ledger, [w.watched for w in watchers])
    acts.expect(bool(acts.recoveries), "nothing was broken: the load was over before, give it more facts")
    broken = [*acts.broken, *too_slow(acts.recoveries, fault.bound, acts.slowest), *verdict.broken]
    return Outcome(
        fault=fault.name,
        acked=verdict.acked,
        effects=verdict.effects,
        lost=verdict.lost,
        duplicated=verdict.duplicated,
        injections=len(acts.recoveries),
        recovery_s=recovery(acts.recoveries),
        ok=not (broken or verdict.lost or verdict.duplicated),
        broken=broken,
        seconds=round(time.monotonic() - began, 1),
    )


async def caught_up(watcher: Watcher, heads: Mapping[int, int]) -> bool:
    try:
        await asyncio.wait_for(watcher.caught_up(heads), QUIET)
    except TimeoutError:
        return False
    return True


@contextlib.asynccontextmanager
async def beside(*work: Coroutine[Any, Any, None]) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Runs these beside the block, and no longer than it."""
    tasks = [asyncio.create_task(one) for one in work]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
