"""Opens a file by what is in it, not by its name."""

import zipfile
from pathlib import Path

from services.imports.html_tables import read_html_table
from services.imports.table import NoTable, Table
from services.imports.text_tables import read_text_table
from services.imports.vcards import read_vcards
from services.imports.workbooks import read_workbook

OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MOST_UNPACKED = 4_000_000_000  # bytes
MOST_RATIO = 1_000  # unpacked to packed, of one file in an archive; a sheet of one repeated value reaches 200
NO_TABLES = {
    b"%PDF": "a PDF",
    b"\x89PNG": "an image",
    b"\xff\xd8\xff": "an image",
    b"GIF8": "an image",
    b"Rar!": "an archive",
    b"7z\xbc\xaf": "an archive",
    b"\x1f\x8b": "a packed file",
}
SEND = "Nothing was imported. Send CSV, TSV, XLSX, XLS, ODS or vCard."


def open_table(path: Path, folder: Path, charset: str = "", delimiter: str = "", sheet: str = "") -> Table:
    """`folder`: for what is unpacked. Raises NoTable."""
    with path.open("rb") as file:
        head = file.read(4_096)
    if not head.strip():
        raise NoTable("It is empty. Nothing was imported.")
    for begins, what in NO_TABLES.items():
        if head.startswith(begins):
            raise NoTable(f"It is {what} and no table. {SEND}")
    if head.startswith(b"PK"):
        return read_workbook(path, folder, packed(path), sheet)
    if head.startswith(OLE):
        return read_workbook(path, folder, "xls", sheet)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip().replace(b"\0", b"").lower()
    if text.startswith(b"begin:vcard"):
        return read_vcards(path, charset)
    if b"<table" in text or text.startswith((b"<html", b"<!doctype html", b"\xff\xfe<html")):
        return read_html_table(path, folder)
    if head.count(b"\0") > len(head) // 2 + 1 or b"\0\0\0\0" in head:
        raise NoTable(f"It is no text and no workbook. {SEND}")
    return read_text_table(path, charset, delimiter)


def packed(path: Path) -> str:
    """Returns the format of a workbook that is an archive. Raises NoTable."""
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError):
        raise NoTable(
            "The archive that a workbook is was cut or damaged. Nothing was imported. Send it again."
        ) from None
    names = {one.filename for one in inside}
    size = sum(one.file_size for one in inside)
    if size > MOST_UNPACKED or any(one.file_size > MOST_RATIO * max(one.compress_size, 1_000) for one in inside):
        raise NoTable(
            f"It unpacks to {size:,} bytes, which no sheet needs: it is a zip bomb or damaged. Nothing was imported."
        )
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if "content.xml" in names:
        return "ods"
    raise NoTable(f"It is an archive and no workbook. {SEND}")
