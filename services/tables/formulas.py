"""Finds formulas that were saved without what they show, as programs do that write workbooks and do not compute."""

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

BLOCK = 4 << 20  # bytes
LONGEST_CELL = 64 << 10  # bytes of its XML
UNSHOWN = re.compile(
    rb'<c r="([A-Z]{1,3}(\d{1,7}))"([^>]*)>\s*<f[^>]*?(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>'
)
TEXT = b't="str"'  # an empty text is what such a formula shows
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
WHY = "Cell {} is a formula that was saved without its value: open the file in Excel and save it again."


def without_values(path: Path, sheet: str) -> dict[int, str]:
    """Returns a sentence by the number of each row of an XLSX sheet that has such a formula."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(part_of(archive, sheet)) as part:
            return {int(row): WHY.format(cell.decode()) for cell, row in reversed(list(cells_in(part)))}
    except (zipfile.BadZipFile, KeyError, ParseError, DefusedXmlException):
        return {}  # no XLSX, or one that the reader takes all the same


def part_of(archive: zipfile.ZipFile, sheet: str) -> str:
    """Returns the name of the file in which a sheet is. Raises KeyError."""
    book, relations = (fromstring(archive.read(f"xl/{name}")) for name in ("workbook.xml", "_rels/workbook.xml.rels"))
    ids = {one.get("name"): one.get(RELATION) for one in book.iter() if one.tag.endswith("}sheet")}
    targets = {one.get("Id"): one.get("Target", "") for one in relations}
    target = targets[ids[sheet]]
    return target.removeprefix("/") if target.startswith("/") else f"xl/{target}"


def cells_in(part: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    rest = b""
    while block := part.read(BLOCK):
        block = rest + block
        end = max(block.rfind(b"</c>") + 4, len(block) - LONGEST_CELL)
        if b"<f" in block:
            yield from ((cell, row) for cell, row, more in UNSHOWN.findall(block[:end]) if TEXT not in more)
        rest = block[end:]
