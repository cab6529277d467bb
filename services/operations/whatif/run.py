"""Runs a simulation over the journal and the facts in Kafka."""

from collections.abc import Callable

from crm.contract.codec import decode
from crm.moments import Clock
from crm.scalars import Id
from crm.topics import DECIDED, JOURNAL
from services.operations.whatif.merge_order import Advance, in_recorded_order
from services.operations.whatif.partition_reader import PartitionReader
from services.operations.whatif.simulation import Phase, Simulation

INTAKE = [(topic.name, partition) for topic in DECIDED for partition in range(topic.partitions)]
PARTITIONS = [(JOURNAL.name, partition) for partition in range(JOURNAL.partitions)]


async def simulate(bootstrap: str, workspace: Id, simulation: Simulation, total: Callable[[int], Advance]) -> None:
    """Feeds the simulation. Raises ValueError when the rules do not fit, Broken when Kafka lacks records."""
    async with PartitionReader(bootstrap, PARTITIONS) as journal, PartitionReader(bootstrap, INTAKE) as intake:
        advance = total(sum(journal.ends[tp] - journal.read[tp] for tp in journal.tps))
        async for event in in_recorded_order(journal, advance):
            meta = event.meta
            if meta.workspace != workspace:
                continue
            phase = simulation.phase(event)
            if phase is Phase.AFTER:
                if simulation.clock is Clock.RECORDED:
                    break
                continue
            if phase is Phase.BEFORE or not simulation.workspace_exists:
                simulation.before(event)
                continue
            if not simulation.begun:
                simulation.begin()
            fact = None
            if simulation.needs_fact(event):
                fact = decode(await intake.at(meta.cause_topic, meta.cause_partition, meta.cause_offset))
            simulation.take(event, fact)
    if not simulation.begun and simulation.clock is Clock.OCCURRED:
        raise ValueError(simulation.nothing_there())
    if not simulation.begun:
        simulation.begin()
