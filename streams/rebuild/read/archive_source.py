"""Reads journal partitions from an archive's Avro files in chunks: some blocks at a time, decoded in Rust.

polars reads whole container files. Splitting a file between its blocks keeps memory bounded.
"""

import asyncio
import io
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import polars as pl

from crm.adapters.archive import manifest
from crm.adapters.archive.container import MAGIC
from crm.adapters.archive.manifest import File
from crm.contract.compiled import numeral
from crm.errors import Broken
from crm.topics import JOURNAL
from streams.rebuild.read.kafka_source import ReadPosition, select_dense
from streams.rebuild.read.source import Chunk

PIECE = 8 << 20  # compressed bytes that are decoded at once
SYNC = 16
HEAD = 1 << 16  # bytes; no header of a file is longer
REMEDY = "Nothing was written; take the file from another copy of the archive (`crm archive verify` checks all)."


class ArchiveSource:
    """Reads from the positions `begins` to before `until`, one partition after the other.

    `folder`: an archive made by `crm archive`. Raises Broken when it lacks some of the positions.
    """

    def __init__(self, folder: Path, begins: Mapping[int, int], until: Mapping[int, int]) -> None:
        self.folder, self.begins, self.until = folder, begins, until
        self.files = journal_files(folder)

    async def chunks(self) -> AsyncIterator[Chunk]:
        for partition, begin in self.begins.items():
            wanted, end = begin, self.until[partition]
            for file in self.files.get(partition, ()):
                if wanted >= end:
                    break
                if file.last_position is None or file.last_position < wanted:
                    continue
                pieces = read(self.folder, file)
                while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                    values = values_from(piece, wanted, file).head(max(0, end - wanted))
                    if len(values):
                        yield Chunk(partition, wanted, values)
                        wanted += len(values)
            if wanted < end:
                raise Broken(f"The archive {self.folder} ends before position {end} of journal partition {partition}.")


def journal_files(folder: Path) -> dict[int, list[File]]:
    """Returns the journal's files by partition, in order. Raises Broken if the folder is no archive or has a gap."""
    known = manifest.read(folder)
    mine = manifest.Manifest(files=[file for file in known.files if file.topic == JOURNAL.name])
    if gaps := manifest.gaps(mine):
        raise Broken(f"The archive {folder} has a gap. {gaps[0]} {REMEDY}")
    return {partition: files for (_, partition), files in mine.by_partition().items()}


def ends(folder: Path) -> dict[int, ReadPosition]:
    """Returns the offset and position after the last record by partition, where Kafka continues."""
    found = {}
    for partition, files in journal_files(folder).items():
        positions = [file.last_position for file in files if file.last_position is not None]
        found[partition] = ReadPosition(files[-1].last + 1, max(positions, default=-1) + 1)
    return found


def values_from(piece: tuple[pl.Series, pl.Series], wanted: int, file: File) -> pl.Series:
    """Returns the values of a piece from position `wanted` on, without repeats."""
    positions, values = piece
    if len(positions) and positions[0] == wanted and (positions.diff(null_behavior="drop") == 1).all():
        return values
    return values.gather(select_dense(positions, wanted, file.path))


def read(folder: Path, file: File) -> Iterator[tuple[pl.Series, pl.Series]]:
    """Yields positions and values piece by piece. Raises Broken when the file differs from the manifest."""
    if wrong := manifest.damaged(folder, file):
        raise Broken(f"The archive {folder} is damaged. {wrong} {REMEDY}")
    # Without repeats and gaps the manifest gives all positions, and headers need not be decoded.
    first, last = file.first_position, file.last_position
    plain = first is not None and last is not None and last - first + 1 == file.count
    at = first if plain and first is not None else 0
    with (folder / file.path).open("rb") as content:
        try:
            for piece, count in pieces(content):
                frame = pl.read_avro(piece, columns=["value"] if plain else ["value", "headers"])
                if frame.height != count:
                    raise ValueError(f"{count} records are stored, and {frame.height} were read")
                if plain:
                    yield pl.int_range(at, at + frame.height, eager=True), frame["value"]
                    at += frame.height
                else:
                    yield positions_of(frame), frame["value"]
        except (pl.exceptions.PolarsError, ValueError, IndexError, OSError) as error:
            raise Broken(f"The archive {folder} is damaged. {file.path} cannot be read: {error}. {REMEDY}") from None


def positions_of(frame: pl.DataFrame) -> pl.Series:
    """Reads the positions from the records' headers. Raises ValueError unless each record has one."""
    pairs = frame.select("headers").with_row_index("record").explode("headers").unnest("headers")
    positions = pairs.filter(pl.col("key") == "position")
    if positions["record"].to_list() != list(range(frame.height)):
        raise ValueError("a record has no position, or two")
    return positions["value"].cast(pl.String).cast(pl.Int64)


def pieces(content: BinaryIO) -> Iterator[tuple[io.BytesIO, int]]:
    """Splits a file into container files of about PIECE bytes. Yields each with its number of records.

    Leaves out empty blocks, which polars 2.1 takes for the end of the file. Raises ValueError for a truncated file.
    """
    head = header(content.read(HEAD))
    content.seek(len(head))
    data = b""
    while more := content.read(PIECE):
        data += more
        blocks, end = whole_blocks(data)
        if blocks:
            whole = b"".join(data[begin:stop] for _, begin, stop in blocks)
            yield io.BytesIO(head + whole), sum(count for count, _, _ in blocks)
        data = data[end:]
    if data:
        raise ValueError("it ends in the middle of a block")


def header(data: bytes) -> bytes:
    """Returns the header: magic, metadata map, sync marker.

    https://avro.apache.org/docs/1.12.0/specification/#object-container-files
    """
    if not data.startswith(MAGIC):
        raise ValueError("it is not an Avro container file")
    at = len(MAGIC)
    count, at = numeral(data, at)
    while count:
        for _ in range(2 * count):
            size, at = numeral(data, at)
            at += size
        count, at = numeral(data, at)
    return data[: at + SYNC]


def whole_blocks(data: bytes) -> tuple[list[tuple[int, int, int]], int]:
    """Returns (records, start, end) of each complete, non-empty block, and the end of the last complete block."""
    found, end = [], 0
    try:
        while end < len(data):
            count, at = numeral(data, end)
            size, at = numeral(data, at)
            if at + size + SYNC > len(data):
                break
            begin, end = end, at + size + SYNC
            if count:
                found.append((count, begin, end))
    except IndexError:  # the data ends in a number
        pass
    return found, end
