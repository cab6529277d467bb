"""Kafka and Postgres are killed and return, at once or after a minute."""

import asyncio
from functools import partial

from tests.chaos.faults import FaultContext, fault

WITHIN = 3.0  # seconds to the next commit of everybody once the server answers again
AWAY = 60.0  # seconds


async def kill(server: str, run: FaultContext) -> None:
    await run.cluster.kill(server)
    await run.injected(await run.cluster.wait_until_ready(server))


async def away(server: str, run: FaultContext) -> None:
    cluster = run.cluster
    cluster.hold(server)
    await cluster.kill(server)
    await asyncio.sleep(5)  # what was under way has come to its end
    before = run.acked
    await asyncio.sleep(AWAY - 5)
    taken = run.acked - before
    if server == "kafka":
        run.expect(taken == 0, f"intake acknowledged {taken:,} facts while Kafka was away")
    else:
        run.expect(taken > 0, "intake acknowledged nothing while Postgres was away")
    cluster.release(server)
    await run.injected(await cluster.wait_until_ready(server))


for server, title in (("kafka", "Kafka"), ("postgres", "Postgres")):
    promised = {"bound": WITHIN, "everywhere": False}
    fault(f"kill-{server}", f"kill -9 of {title}, which starts again at once.", **promised, lasts=35)(
        partial(kill, server)
    )
    fault(f"{server}-away", f"{title} is killed and stays away for {AWAY:.0f} s.", **promised, lasts=80)(
        partial(away, server)
    )
