"""Reads single records of facts from Kafka, and what Kafka no longer has from an archive."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

from crm.adapters.archive import manifest, single
from crm.adapters.kafka.reading import RecordReader
from crm.errors import Broken, CrmError, NotYet
from crm.log import RecordRef


async def read_values(
    bootstrap: str, archive: Path | None, places: Sequence[RecordRef]
) -> Mapping[RecordRef, bytes | CrmError]:
    """Returns each record's value, or why it cannot be read. `archive`: the folder of `crm archive`.

    Raises what aiokafka raises when Kafka does not answer.
    """
    found: dict[RecordRef, bytes | CrmError] = {}
    if not places:
        return found
    async with RecordReader(bootstrap) as kafka:
        for place in places:
            try:
                found[place] = (await kafka.record(*place)).value or b""
            except NotYet as error:
                found[place] = await asyncio.to_thread(archived, archive, place, error)
    return found


def archived(archive: Path | None, place: RecordRef, missing: CrmError) -> bytes | CrmError:
    """Returns the archive's value of a record that Kafka no longer has, or why there is none."""
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
