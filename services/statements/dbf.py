"""dBase tables, in which older client-bank programs export: each field as the text that stands in the file.

Sums stay text, so that no float touches them: libraries give numbers as floats.
https://www.dbase.com/Knowledgebase/INT/db7_file_fmt.htm describes the form.
"""

import struct
from collections.abc import Iterator

from crm.errors import Malformed
from services.connectors.formats.letter_pairs import likelihood
from services.statements.texts import JUDGED, of_dos

NAME = "DBF"
VERSIONS = frozenset((0x02, 0x03, 0x04, 0x05, 0x30, 0x31, 0x32, 0x43, 0x63, 0x83, 0x8B, 0x8E, 0xCB, 0xF5, 0xFB))
DRIVERS = {0xC9: "cp1251", 0x57: "cp1251", 0x64: "cp852", 0xC8: "cp1250"}
DOS = (0x26, 0x65)
HEAD, FIELD = 32, 32  # bytes
DELETED = "*"


def looks_like(head: bytes) -> bool:
    if len(head) < HEAD + FIELD or head[0] not in VERSIONS:
        return False
    length, record = struct.unpack_from("<HH", head, 8)
    return length >= HEAD + FIELD and record > 1 and 1 <= head[2] <= 12 and 1 <= head[3] <= 31


def rows_in(body: bytes) -> Iterator[tuple[int, list[str]]]:
    """Yields the names of the columns as row 0 and then each record that is not deleted. Raises Malformed when it is
    cut within its head; of one that is cut later, the records before that come first."""
    count, length, size = struct.unpack_from("<IHH", body, 4)
    names, widths = fields_in(body[:length])
    yield 0, names
    if sum(widths) + 1 > size:
        raise Malformed("Its head contradicts itself: the fields are longer than the records.")
    whole = min(count, max(0, len(body) - length) // size)
    text = text_of(body[length : length + whole * size], body[29])
    for number in range(whole):
        record = text[number * size : (number + 1) * size]
        if record[:1] != DELETED:
            yield number + 1, cells_of(record, widths)
    if whole < count:
        raise Malformed(f"It was cut: {whole} of {count} records are there and were read.")


def text_of(records: bytes, driver: int) -> str:
    """Returns the records as text, in which each byte is a letter. Many programs name no charset, or DOS' for all."""
    if driver in DRIVERS:
        return records.decode(DRIVERS[driver], "replace")
    dos, windows = of_dos(records), records.decode("cp1251", "replace")
    if driver in DOS:
        return dos
    return max(dos, windows, key=lambda text: likelihood("".join(filter(str.isprintable, text[:JUDGED]))))


def whole_numbers(body: bytes) -> set[str]:
    """Returns the names of its fields of numbers without decimals."""
    (length,) = struct.unpack_from("<H", body, 8)
    heads = [body[at : at + FIELD] for at in range(HEAD, length - FIELD + 1, FIELD)]
    return {name_of(head) for head in heads if head[11:12] in (b"N", b"F") and not head[17]}


def name_of(head: bytes) -> str:
    return head[:11].partition(b"\0")[0].decode("cp866")


def fields_in(head: bytes) -> tuple[list[str], list[int]]:
    names, widths = [], []
    for at in range(HEAD, len(head) - FIELD + 1, FIELD):
        if head[at : at + 1] == b"\r":
            break
        names.append(name_of(head[at:]))
        widths.append(head[at + 16] + (head[at + 17] << 8 if head[at + 11 : at + 12] == b"C" else 0))
    if not names:
        raise Malformed("Its head names no fields.")
    return names, widths


def cells_of(record: str, widths: list[int]) -> list[str]:
    cells, at = [], 1
    for width in widths:
        cells.append(record[at : at + width].strip(" \0"))
        at += width
    return cells
