"""Finds the end of the history at the start of a replay."""

import asyncio
from pathlib import Path

from crm.adapters.kafka.address import servers_of
from crm.adapters.kafka.journal_log import next_positions
from crm.errors import Broken
from crm.topics import JOURNAL
from streams.rebuild.read import archive_source

PATIENCE = 20.0  # seconds to wait for Kafka


async def end_positions(bootstrap: str, archive: Path | None, topic: str = JOURNAL.name) -> dict[int, int]:
    """Returns the next position of each partition; 0 for an empty one. Raises CrmError."""
    found = dict.fromkeys(range(JOURNAL.partitions), 0)
    if archive:
        found |= {partition: begin.position for partition, begin in archive_source.ends(archive).items()}
    if not bootstrap:
        return found
    try:
        positions = await asyncio.wait_for(next_positions(bootstrap, topic, found), PATIENCE)
    except TimeoutError:
        raise Broken(f"Kafka at {servers_of(bootstrap)} does not respond. Nothing was read; try again.") from None
    return {partition: max(end, found[partition]) for partition, end in positions.items()}
