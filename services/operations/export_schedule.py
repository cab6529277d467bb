"""Exports on a schedule: a file of TOML says what is written how often, into a folder or a bucket.

The name of a file has its period, such as `won-2026-11-30.xlsx`, and what is there is not written again: so nothing has
to be remembered, and a process that was away makes up for its last period.
"""

import tempfile
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.postgres.analysts import connected, session_login
from crm.periods import Period, begin_of
from crm.scalars import Id, Micros
from services.operations.export import export, query_of
from services.operations.export_files import FORMATS

SECONDS = 3_600  # that one export may take
STAMPS = {Period.HOUR: "%Y-%m-%dT%H"}
DAY = "%Y-%m-%d"


class Scheduled(Struct, frozen=True, forbid_unknown_fields=True):
    """One export. `what` is a view or a SELECT, `file` a name with an ending, to which the period is added."""

    workspace: Id
    what: str
    file: str
    every: Period = Period.DAY
    where: str = ""


class Schedule(Struct, frozen=True, forbid_unknown_fields=True):
    """`to`: a folder, or a bucket such as s3://bucket/path with its keys in the environment."""

    to: str
    export: list[Scheduled] = []


class Due(NamedTuple):
    """An export whose file is not there yet."""

    scheduled: Scheduled
    path: str


def read_schedule(file: Path) -> Schedule:
    """Raises ValueError, with a sentence, and OSError."""
    try:
        schedule = msgspec.convert(tomllib.loads(file.read_text("utf-8")), Schedule)
        for one in schedule.export:
            query_of(one.what, one.where)
            name = Path(one.file)
            if name.name != one.file or name.suffix.lower() not in FORMATS:
                raise ValueError(f"`file` is a name that ends with {', '.join(FORMATS)}, not {one.file!r}.")
    except ValueError as error:  # of TOML and of msgspec too
        raise ValueError(f"{file} cannot be read: {error} Nothing is exported by it.") from None
    return schedule


def path_of(one: Scheduled, zone: tzinfo, at: Micros) -> str:
    """Returns where the file of the period is that holds `at`."""
    begin = begin_of(one.every, datetime.fromtimestamp(at / 1e6, UTC).astimezone(zone))
    name = Path(one.file)
    return f"{one.workspace}/{name.stem}-{begin.strftime(STAMPS.get(one.every, DAY))}{name.suffix}"


async def due(schedule: Schedule, store: Any, zone_of: Callable[[Id], tzinfo], at: Micros) -> list[Due]:
    """`store`: of obstore."""
    found = []
    for one in schedule.export:
        path = path_of(one, zone_of(one.workspace), at)
        try:
            await store.head_async(path)
        except FileNotFoundError:
            found.append(Due(one, path))
    return found


def write(dsn: str, store: Any, one: Due) -> int:
    """Writes an export and returns how many rows it has. It is there when it is whole. Raises ValueError, Broken, and
    what Postgres and the store say."""
    scheduled = one.scheduled
    with (
        tempfile.TemporaryDirectory(prefix="export-") as folder,
        session_login(dsn, scheduled.workspace, SECONDS) as address,
        connected(address) as conn,
    ):
        file = Path(folder) / scheduled.file
        count = export(conn, query_of(scheduled.what, scheduled.where), file)
        store.put(one.path, file)
    return count


def opened(schedule: Schedule) -> Any:
    return AttachmentStore.open(schedule.to).store
