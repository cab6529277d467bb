"""Whether an archive is whole: checksums, offsets, journal positions, schema ids, said in sentences."""

from collections.abc import Callable
from pathlib import Path
from zlib import error as ZlibError

from crm.adapters.archive import container, manifest
from crm.adapters.archive.manifest import COMPACTED, File, Manifest, Place
from crm.contract.registry import registered
from crm.topics import JOURNAL
from services.operations.archive.progress import Advance
from services.operations.archive.saving import position_of

READ_ERRORS = (ValueError, EOFError, TypeError, KeyError, IndexError, ZlibError)  # what fastavro raises on other bytes
Damaged = Callable[[Path, File], str | None]


def verify(folder: Path, advance: Advance, damaged: Damaged = manifest.damaged) -> list[str]:
    """A sentence for each thing that is wrong; none when all can be loaded. `advance` gets the records of each file."""
    known = manifest.read(folder)
    told = manifest.gaps(known)
    for place, files in known.by_place().items():
        highest = -1
        for file in files:
            wrong = damaged(folder, file)
            if not wrong:
                try:
                    wrong, highest = differs(folder, file, place, highest)
                except READ_ERRORS as error:
                    wrong = f"{file.path} is no readable container: {error!r}."
            if wrong:
                told.append(wrong)
                highest = max(highest, -1 if file.last_position is None else file.last_position)
            advance(file.count)
    return told + unknown_schemas(known)


def differs(folder: Path, file: File, place: Place, highest: int) -> tuple[str | None, int]:
    """Where the records are not what the manifest and the log's laws say; and the highest journal position so far."""
    last, count = file.first - 1, 0
    for record in container.read(folder / file.path):
        following = last + 1
        if record.offset < following or (record.offset > following and place[0] not in COMPACTED):
            return f"{file.path}: offset {record.offset} follows {last}.", highest
        last, count = record.offset, count + 1
        if place[0] == JOURNAL.name:
            position = position_of(record)
            if position is None or position > highest + 1:  # a relay that died may have repeated the end
                return f"{file.path}: position {position} follows {highest} at offset {last}.", highest
            highest = max(highest, position)
    if (last, count) != (file.last, file.count):
        return f"{file.path} has {count} records up to {last}; the manifest says {file.count} to {file.last}.", highest
    return None, highest


def unknown_schemas(known: Manifest) -> list[str]:
    """Values that this version cannot read are kept all the same; whoever loads them needs a newer one."""
    ids = {entry.id for entry in registered()}
    missing = sorted({number for file in known.files for number in file.schema_ids} - ids)
    told = ", ".join(map(str, missing))
    return [f"Schemas {told} are not in the registry: a newer version of Potik wrote them."] if missing else []
