"""Archives of a few records, written as `crm archive` writes them."""

from collections.abc import Sequence
from pathlib import Path

from crm.adapters.archive import manifest
from crm.adapters.archive.container import ArchivedRecord
from crm.adapters.archive.manifest import Manifest, Partition
from services.operations.archive.saving import Writing

FRAME = b"\x00\x00\x00\x00\x05"  # of a FormSubmitted
JOURNAL_0: Partition = ("crm.journal", 0)
FORMS_1: Partition = ("crm.intake.forms", 1)


def form(offset: int) -> ArchivedRecord:
    return ArchivedRecord(offset, 1_700_000_000_000 + offset, b"+380671112233", FRAME + bytes([offset]))


def event(offset: int, position: int) -> ArchivedRecord:
    return ArchivedRecord(offset, 1_700_000_000_000, b"stream", FRAME, [("position", str(position).encode())])


def write(folder: Path, place: Partition, *files: Sequence[ArchivedRecord]) -> Manifest:
    """Adds the files to the archive, one after the other."""
    known = manifest.read(folder) if (folder / manifest.NAME).exists() else Manifest()
    for records in files:
        file = Writing(folder, place, records[0].offset)
        try:
            file.add(records)
            assert file.finish(known) == len(records)
        finally:
            file.drop()
    return known
