"""Looks into the archive that a workbook is, before anything of it is unpacked."""

import zipfile
from pathlib import Path

from services.tables.unreadable import Unreadable

MOST_RATIO = 1_000  # unpacked to packed, of one file in an archive; a sheet of one repeated value reaches 200
ENCRYPTED = 1  # a bit of a file's flags
LOCKED = Unreadable("It is protected by a password.", "Save it without one and send it again.")


def format_of(path: Path, most: int) -> str:
    """Returns xlsx or ods, and nothing for an archive that is no workbook. `most`: bytes that it may unpack to.

    Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise Unreadable("The archive that a workbook is was cut or damaged.", "Send it again.") from None
    size = sum(one.file_size for one in inside)
    if size > most or any(one.file_size > MOST_RATIO * max(one.compress_size, 1_000) for one in inside):
        raise Unreadable(f"It unpacks to {size:,} bytes, which no sheet needs: it is a zip bomb or damaged.")
    if any(one.flag_bits & ENCRYPTED for one in inside):
        raise LOCKED
    names = {one.filename for one in inside}
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if "content.xml" in names else ""
