"""Reads the journal and the facts behind it out of Kafka, and lets a trial decide them again."""

from collections.abc import Callable

from crm.contract.codec import decode
from crm.scalars import Id
from crm.topics import DECIDED, JOURNAL
from services.operations.whatif.order import Advance, recorded
from services.operations.whatif.tape import Tape
from services.operations.whatif.trial import Trial

INTAKE = [(topic.name, partition) for topic in DECIDED for partition in range(topic.partitions)]
PARTITIONS = [(JOURNAL.name, partition) for partition in range(JOURNAL.partitions)]


async def run(bootstrap: str, workspace: Id, trial: Trial, total: Callable[[int], Advance]) -> None:
    """Raises ValueError when the rules do not fit, Broken when Kafka lacks something."""
    async with Tape(bootstrap, PARTITIONS) as journal, Tape(bootstrap, INTAKE) as intake:
        advance = total(sum(journal.ends[tp] - journal.read[tp] for tp in journal.tps))
        async for event in recorded(journal, advance):
            meta = event.meta
            if meta.workspace != workspace:
                continue
            if meta.recorded_at >= trial.until:
                break
            if meta.recorded_at < trial.since or not trial.there:
                trial.before(event)
                continue
            if not trial.begun:
                trial.begin()
            fact = None
            if trial.asks_for_fact(event):
                fact = decode(await intake.at(meta.cause_topic, meta.cause_partition, meta.cause_offset))
            trial.take(event, fact)
    if not trial.begun:
        trial.begin()
