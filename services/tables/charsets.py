"""Reads the lines of a text: which charset it has, also where that changes in the middle."""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from services.connectors.formats.charset import charset_named, decode_line, is_surely_utf8, single_byte_charset
from services.tables.unreadable import Unreadable

SAMPLE = 200  # lines by which a charset is judged
SURE = 3  # letters of several bytes in one line that can be read as UTF-8 are no accident
LONGEST_LINE = 4_000_000  # bytes; a longer one comes in pieces, so that a file without lines takes no memory
BLOCK = 1 << 20  # bytes
WIDE = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}


def said_charset(name: str) -> "Charset":
    """Returns the charset that a person says. Raises Unreadable when there is none."""
    if not (named := charset_named(name)):
        raise Unreadable(f"There is no charset {name!r}.", "Use a name such as utf-8 or windows-1251.")
    return Charset(named)


@dataclass(frozen=True)
class Charset:
    """`name` of the whole file; with a `fallback`, each line that is no UTF-8 is in that, and without a name nearly
    all are."""

    name: str
    fallback: str = ""
    note: str = ""

    def __str__(self) -> str:
        return f"{self.name} and {self.fallback}" if self.fallback and self.name else self.fallback or self.name

    def decode(self, line: bytes) -> str:
        if self.fallback:
            return decode_line(line, self.fallback, bool(self.name))
        return line.decode(self.name, "replace")


def charset_of(file: BinaryIO) -> Charset:
    """Judges every line: a file that changes its charset in the middle is read as it changes."""
    file.seek(0)
    head = file.read(64)
    for mark, name in WIDE.items():
        if head.startswith(mark):
            return Charset(name)
    if b"\0" in head and len(head) > 3:
        return Charset("utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be")
    file.seek(0)
    good, bad, first, certain = 0, 0, 0, False
    others: list[bytes] = []
    doubtful: list[bytes] = []
    for number, line in enumerate(split_lines(blocks_of(file)), 1):
        if line.isascii():
            continue
        try:
            text = line.decode()
        except UnicodeDecodeError:
            bad, first = bad + 1, first or number
            if len(others) < SAMPLE:
                others.append(line)
            continue
        good += 1
        if not certain:
            certain = sum(letter > "\x7f" for letter in text) >= SURE
            if not certain and len(doubtful) < SAMPLE:
                doubtful.append(line)
    if not bad and (certain or is_surely_utf8(b"".join(doubtful).decode(), sum(map(len, doubtful)), "")):
        return Charset("utf-8")
    fallback = single_byte_charset([*others, *doubtful])
    if not fallback or not certain:
        return Charset("" if fallback else "utf-8", fallback)
    lines = f"{good:,} lines are UTF-8 and {bad:,} are not, the first of them line {first:,}"
    return Charset("utf-8", fallback, f"The charset changes: {lines}. These were read as {fallback}.")


def lines_of(file: BinaryIO, charset: Charset) -> Iterator[tuple[str, int]]:
    """Yields each line with its end, which may be that of Windows, Unix or an old Macintosh, and the number of bytes
    up to there."""
    file.seek(0)
    done = 0
    if charset.name.startswith("utf-16"):
        reader = codecs.getincrementaldecoder(charset.name)("replace")
        for line in split_lines(reader.decode(block).encode("utf-8", "replace") for block in blocks_of(file)):
            text = line.decode()
            done += 2 * len(text)
            yield text.removeprefix("\ufeff"), done
        return
    for line in split_lines(blocks_of(file)):
        text = charset.decode(line if done else line.removeprefix(codecs.BOM_UTF8))
        done += len(line)
        yield text, done


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def split_lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Yields lines with their ends; of one that is too long, pieces."""
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).splitlines(keepends=True) or [b""]
        yield from lines
        if len(rest) > LONGEST_LINE:
            yield rest
            rest = b""
    if rest:
        yield rest
