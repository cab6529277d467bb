"""One record out of an archive, by where it lay in Kafka: of its file only the blocks before it are passed over."""

from collections.abc import Iterator
from pathlib import Path

import fastavro

from crm.adapters.archive import manifest
from crm.adapters.archive.container import ArchivedRecord, archived
from crm.adapters.archive.manifest import File
from crm.errors import Broken


def record(folder: Path, topic: str, partition: int, offset: int) -> ArchivedRecord | None:
    """None when no file of the archive has it. Raises Broken for a folder that is no archive, or a damaged file."""
    files = manifest.read(folder).by_partition().get((topic, partition), [])
    for file in files:
        if file.first <= offset <= file.last:
            if wrong := manifest.damaged(folder, file):
                raise Broken(f"The archive {folder} is damaged. {wrong} `crm archive verify` checks all of it.")
            return next((found for found in near(folder, file, offset) if found.offset == offset), None)
    return None


def near(folder: Path, file: File, offset: int) -> Iterator[ArchivedRecord]:
    """The records of the block that has it; of all blocks when offsets are missing between them."""
    dense = file.last - file.first + 1 == file.count
    at = file.first
    with (folder / file.path).open("rb") as content:
        for block in fastavro.block_reader(content):
            end = at + block.num_records
            if not dense or at <= offset < end:
                yield from map(archived, block)
            at = end
