"""Opens a file by what is in it, not by its name."""

from pathlib import Path

from services.imports.html_tables import read_html_table
from services.imports.table import NOTHING, SEND, NoTable, Table
from services.imports.text_tables import read_text_table
from services.imports.vcards import read_vcards
from services.imports.workbooks import read_workbook
from services.tables.archives import format_of
from services.tables.unreadable import Unreadable
from services.tables.workbooks import OLE

MOST_UNPACKED = 4_000_000_000  # bytes
NO_TABLES = {
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"\x1f\x8b": "a packed file",
}


def open_table(path: Path, folder: Path, charset: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """`folder`: for what is unpacked. Raises NoTable."""
    try:
        return opened(path, folder, charset, delimiter, sheet)
    except Unreadable as error:
        raise NoTable(f"{error.why} {NOTHING} {error.what_to_do}".rstrip()) from None


def opened(path: Path, folder: Path, charset: str, delimiter: str, sheet: str) -> Table:
    """Raises NoTable and Unreadable."""
    with path.open("rb") as file:
        head = file.read(4_096)
    if not head.strip():
        raise Unreadable("It is empty.")
    for begins, what in NO_TABLES.items():
        if head.startswith(begins):
            raise Unreadable(f"It is {what} and no table.", SEND)
    if head.startswith(b"PK"):
        if not (format := format_of(path, MOST_UNPACKED)):
            raise Unreadable("It is an archive and no workbook.", SEND)
        return read_workbook(path, folder, format, sheet)
    if head.startswith(OLE):
        return read_workbook(path, folder, "xls", sheet)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().replace(b"\0", b"").lower()
    if text.startswith(b"begin:vcard"):
        return read_vcards(path, charset)
    if b"<table" in text or text.startswith((b"<html", b"<!doctype html", b"\xff\xfe<html")):
        return read_html_table(path)
    if head.count(b"\0") > len(head) // 2 + 1 or b"\0\0\0\0" in head:
        raise Unreadable("It is no text and no workbook.", SEND)
    return read_text_table(path, charset, delimiter)
