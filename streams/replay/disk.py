"""Describes in a sentence why a replay could not write to a disk."""

import shutil
from pathlib import Path

import polars as pl

from crm.errors import CrmError

WRITE_ERRORS = (OSError, pl.exceptions.PolarsError)  # polars wraps some errors of the operating system


class NotWritten(CrmError):
    """A file could not be written."""


def not_written(error: Exception, folder: Path) -> NotWritten:
    """Returns the error with the reason and the free space."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    free = f" ({shutil.disk_usage(folder).free >> 20:,} MB free)" if folder.exists() else ""
    return NotWritten(
        f"{folder} could not be written: {reason}{free}. An existing target was not changed. Free some space or choose "
        "another target, and run it again."
    )
