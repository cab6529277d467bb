"""One of three brokers dies, loses its disk, or hands its leaders over, while two replicas of each role work."""

import shutil
from signal import SIGTERM

from services.stack.process import until
from services.stack.role import ROLES
from tests.chaos.brokers import COPIES, Broker, behind
from tests.chaos.cluster import PATIENCE
from tests.chaos.faults import FaultContext, fault

PROMISED = {
    "bound": 20.0,  # seconds: the controller takes a broker for dead after 3, then each client finds the new leaders
    "everywhere": False,
    "replicas": dict.fromkeys(ROLES, 2),
    "brokers": COPIES,
    "lasts": 60,
}


async def chosen(run: FaultContext) -> Broker:
    """Returns any broker, once all of them have everything: another one may not fall before that."""
    await until(lambda: behind(run.cluster.bootstrap), PATIENCE)
    return run.choices.choice(run.cluster.brokers)


@fault("kill-broker", "kill -9 of one of three brokers, which starts again at once.", **PROMISED)
async def kill_broker(run: FaultContext) -> None:
    await run.injected(await run.cluster.kill((await chosen(run)).name))


@fault("lose-broker-disk", "One of three brokers is killed and starts again with an empty disk.", **PROMISED)
async def lose_broker_disk(run: FaultContext) -> None:
    broker = await chosen(run)
    run.cluster.hold(broker.name)
    at = await run.cluster.kill(broker.name)
    shutil.rmtree(broker.data / "log")
    run.cluster.release(broker.name)
    await run.injected(at)


@fault("partition-leader-moves", "SIGTERM to one of three brokers, which hands its leaders over first.", **PROMISED)
async def partition_leader_moves(run: FaultContext) -> None:
    await run.injected(await run.cluster.kill((await chosen(run)).name, SIGTERM))
