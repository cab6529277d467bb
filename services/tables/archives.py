"""Looks into the archive that a workbook is, before anything of it is unpacked."""

import zipfile
import zlib
from pathlib import Path

from services.tables.unreadable import Unreadable

MOST_RATIO = 1_000  # unpacked to packed, of one file in an archive; a sheet of one repeated value reaches 200
ENCRYPTED = 1  # a bit of a file's flags
MANIFEST, ENCRYPTION, LONGEST = "META-INF/manifest.xml", b"encryption-data", 1_000_000  # of OpenDocument; bytes
LOCKED = "It is protected by a password.", "Save it without one and send it again."


def format_of(path: Path, most: int) -> str:
    """Returns xlsx or ods, and nothing for an archive that is no workbook. `most`: bytes that it may unpack to.

    Raises Unreadable.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            inside = archive.infolist()
            manifest = MANIFEST in archive.namelist() and ENCRYPTION in archive.open(MANIFEST).read(LONGEST)
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, ValueError, RuntimeError):
        raise Unreadable("The archive that a workbook is was cut or damaged.", "Send it again.") from None
    size = sum(one.file_size for one in inside)
    if size > most or any(one.file_size > MOST_RATIO * max(one.compress_size, 1_000) for one in inside):
        raise Unreadable(f"It unpacks to {size:,} bytes, which no sheet needs: it is a zip bomb or damaged.")
    if manifest or any(one.flag_bits & ENCRYPTED for one in inside):
        raise Unreadable(*LOCKED)
    names = {one.filename for one in inside}
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    return "ods" if "content.xml" in names else ""
