"""Reads a file in a process of its own: the next rows are read while the role decides those before them.

`python -m services.imports.ahead` gets the reading on its standard input, and writes chunks of rows to its output.
"""

import pickle
import sys
from asyncio import IncompleteReadError
from asyncio.subprocess import PIPE
from collections.abc import AsyncGenerator, Iterator
from itertools import islice
from typing import Any

import msgspec
from msgspec import Struct

from crm.adapters.processes import child
from crm.envelope import Fact
from crm.facts import ContactReported, DealReported, ObjectReported
from crm.imports import CONTACT, DEAL
from crm.output import write_out
from services.imports.reading import Read, Reading
from services.imports.rows import Skipped
from services.imports.table import Row
from services.intake.refusals import Refusal
from services.tables.unreadable import Unreadable

SMALL = 200_000  # bytes of a file that is read in less time than a process takes to start
LENGTH = 4  # bytes that say how long a chunk is
LIMIT = 1 << 20  # bytes that wait in the pipe
CUT_OFF = "The process that reads the file ended before its last row."


class Line(Struct, frozen=True, array_like=True, gc=False):
    """A row on its way: a fact, or why there is none."""

    row: Row
    fact: msgspec.Raw
    skipped: str = ""
    refused: str = ""


class Chunk(Struct, frozen=True, array_like=True):
    """Rows; without any, why the rest cannot be read, or that this was the last."""

    lines: list[Line]
    why: str = ""
    what_to_do: str = ""
    failed: str = ""  # of the program


async def chunks_of(reading: Reading, size: int) -> AsyncGenerator[list[Read], None]:
    """Yields all rows, so many at a time. Raises Unreadable behind those that can be read, and OSError when the
    process that reads them was ended."""
    if reading.request.size <= SMALL:
        for chunk in chunked(reading, size):
            yield chunk
        return
    fact_of = msgspec.msgpack.Decoder(kind_of(reading)).decode
    chunk_of = msgspec.msgpack.Decoder(Chunk).decode
    command = sys.executable, "-m", "services.imports.ahead", str(size)
    async with child(*command, stdin=PIPE, stdout=PIPE, limit=LIMIT) as process:
        assert process.stdin and process.stdout
        process.stdin.write(pickle.dumps(reading))
        process.stdin.close()
        while True:
            try:
                length = await process.stdout.readexactly(LENGTH)
                found = chunk_of(await process.stdout.readexactly(int.from_bytes(length)))
            except IncompleteReadError:
                raise OSError(CUT_OFF) from None
            if found.why:
                raise Unreadable(found.why, found.what_to_do)
            if found.failed:
                raise RuntimeError(found.failed)
            if not found.lines:
                return
            yield [received(line, fact_of) for line in found.lines]


def chunked(reading: Reading, size: int) -> Iterator[list[Read]]:
    rows = reading.rows()
    while chunk := list(islice(rows, size)):
        yield chunk


def kind_of(reading: Reading) -> type[Fact]:
    kinds: dict[str, type[Fact]] = {CONTACT: ContactReported, DEAL: DealReported}
    return kinds.get(reading.mapping.record, ObjectReported)


def received(line: Line, fact_of: Any) -> Read:
    if line.refused:
        return Read(line.row, Refusal(line.refused))
    return Read(line.row, Skipped(line.skipped) if line.skipped else fact_of(line.fact))


def sent(read: Read, encode: Any, nothing: msgspec.Raw) -> Line:
    match read.fact:
        case Skipped(why):
            return Line(read.row, nothing, skipped=why)
        case Refusal():
            return Line(read.row, nothing, refused=str(read.fact))
    return Line(read.row, msgspec.Raw(encode(read.fact)))


def main(size: int) -> None:
    """Writes the rows of the reading on standard input."""
    reading: Reading = pickle.load(sys.stdin.buffer)
    encode = msgspec.msgpack.Encoder().encode
    nothing = msgspec.Raw(encode(None))

    def write(chunk: Chunk) -> None:
        content = encode(chunk)
        write_out(len(content).to_bytes(LENGTH) + content)

    try:
        for chunk in chunked(reading, size):
            write(Chunk([sent(read, encode, nothing) for read in chunk]))
        write(Chunk([]))
    except Unreadable as error:
        write(Chunk([], error.why, error.what_to_do))
    except BrokenPipeError:  # the role has ended, or wants no more
        sys.stderr.close()
    except Exception as error:
        write(Chunk([], failed=repr(error)))


if __name__ == "__main__":
    main(int(sys.argv[1]))
