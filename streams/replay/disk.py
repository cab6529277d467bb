"""A disk that does not take what a replay writes, in a sentence."""

import shutil
from pathlib import Path

import polars as pl

from crm.errors import CrmError

ERRORS = (OSError, pl.exceptions.PolarsError)  # polars says some of the operating system's errors as its own


class NotWritten(CrmError):
    """A file could not be written."""


def no_room(error: Exception, folder: Path) -> NotWritten:
    said = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    free = f" ({shutil.disk_usage(folder).free >> 20:,} MB free)" if folder.exists() else ""
    return NotWritten(
        f"{folder} could not be written: {said}{free}. What has the target's name is what it was. Make room or name "
        "another place, and run it again."
    )
