"""Kafka and Postgres die and come back, at once or after a minute."""

import asyncio
from functools import partial

from tests.chaos.faults import Scene, fault

WITHIN = 3.0  # seconds to the next commit of everybody once the server answers again
AWAY = 60.0  # seconds


async def kill(server: str, scene: Scene) -> None:
    await scene.stand.kill(server)
    await scene.struck(await scene.stand.answers(server))


async def away(server: str, scene: Scene) -> None:
    stand = scene.stand
    stand.hold(server)
    await stand.kill(server)
    await asyncio.sleep(5)  # what was under way has come to its end
    before = scene.acked
    await asyncio.sleep(AWAY - 5)
    taken = scene.acked - before
    if server == "kafka":
        scene.expect(taken == 0, f"intake acknowledged {taken:,} facts while Kafka was away")
    else:
        scene.expect(taken > 0, "intake acknowledged nothing while Postgres was away")
    stand.release(server)
    await scene.struck(await stand.answers(server))


for server, title in (("kafka", "Kafka"), ("postgres", "Postgres")):
    promised = {"bound": WITHIN, "everywhere": False}
    fault(f"kill-{server}", f"kill -9 of {title}, which starts again at once.", **promised, lasts=35)(
        partial(kill, server)
    )
    fault(f"{server}-away", f"{title} is killed and stays away for {AWAY:.0f} s.", **promised, lasts=80)(
        partial(away, server)
    )
