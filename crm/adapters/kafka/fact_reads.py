"""Records of facts by where they lie: in Kafka, and what Kafka no longer has in an archive."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from crm.adapters.archive import manifest, single
from crm.adapters.kafka.point_reads import Places
from crm.errors import Broken, CrmError, NotYet

Place = tuple[str, int, int]  # topic, partition, offset


async def values(bootstrap: str, archive: Path | None, places: Sequence[Place]) -> Mapping[Place, bytes | CrmError]:
    """Each record's value, or why it cannot be had. `archive`: a folder that `crm archive` made, or will make.

    Raises what aiokafka raises when Kafka does not answer.
    """
    found: dict[Place, bytes | CrmError] = {}
    if not places:
        return found
    async with Places(bootstrap) as kafka:
        for place in places:
            try:
                found[place] = (await kafka.record(*place)).value or b""
            except NotYet as error:
                found[place] = await asyncio.to_thread(archived, archive, place, error)
    return found


def archived(archive: Path | None, place: Place, missing: CrmError) -> bytes | CrmError:
    """Of what Kafka misses."""
    if archive is None or not (archive / manifest.NAME).exists():
        where = "" if archive is None else f" {archive} holds no archive."
        return NotYet(f"{missing}{where} An archive from before may have it: --archive FOLDER, or CRM_ARCHIVE.")
    try:
        record = single.record(archive, *place)
    except Broken as error:
        return error
    if record is None:
        return NotYet(f"{missing} The archive {archive} does not have it either: it was made too late, or too early.")
    return record.value or b""
