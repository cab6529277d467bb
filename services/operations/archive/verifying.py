"""Verifies an archive: checksums, offsets, journal positions, schema ids."""

from collections.abc import Callable
from pathlib import Path
from zlib import error as ZlibError

from crm.adapters.archive import container, manifest
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Partition
from crm.contract.registry import registered
from crm.topics import JOURNAL
from services.operations.archive.progress import Advance
from services.operations.archive.saving import position_of

# What fastavro raises on damaged files.
READ_ERRORS = (ValueError, EOFError, TypeError, KeyError, IndexError, ZlibError)
Damaged = Callable[[Path, File], str | None]


def verify(folder: Path, advance: Advance, damaged: Damaged = manifest.damaged) -> list[str]:
    """Returns a sentence for each problem; none when all can be loaded. Calls `advance` with each file's records."""
    known = manifest.read(folder)
    found = manifest.gaps(known)
    for place, files in known.by_partition().items():
        highest = -1
        for file in files:
            wrong = damaged(folder, file)
            if not wrong:
                try:
                    wrong, highest = compare_records(folder, file, place, highest)
                except READ_ERRORS as error:
                    wrong = f"{file.path} is not a readable container: {error!r}."
            if wrong:
                found.append(wrong)
                highest = max(highest, -1 if file.last_position is None else file.last_position)
            advance(file.count)
    return found + unknown_schemas(known)


def compare_records(folder: Path, file: File, place: Partition, highest: int) -> tuple[str | None, int]:
    """Returns where the records break the manifest or the order of the log, and the highest journal position so far."""
    last, count = file.first - 1, 0
    for record in container.read(folder / file.path):
        following = last + 1
        if record.offset < following or (record.offset > following and place[0] not in COMPACTED):
            return f"{file.path}: offset {record.offset} follows {last}.", highest
        last, count = record.offset, count + 1
        if place[0] == JOURNAL.name:
            position = position_of(record)
            if position is None or position > highest + 1:  # a relay that died may have repeated records
                return f"{file.path}: position {position} follows {highest} at offset {last}.", highest
            highest = max(highest, position)
    if (last, count) != (file.last, file.count):
        return f"{file.path} has {count} records up to {last}; the manifest says {file.count} to {file.last}.", highest
    return None, highest


def unknown_schemas(known: Manifest) -> list[str]:
    """Returns a sentence on schemas that this release does not know. Their records are archived like others."""
    ids = {entry.id for entry in registered()}
    missing = sorted({number for file in known.files for number in file.schema_ids} - ids)
    numbers = ", ".join(map(str, missing))
    return [f"Schemas {numbers} are not in the registry: a newer version of Potik wrote them."] if missing else []
