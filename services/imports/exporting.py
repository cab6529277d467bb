"""Writes exports next to the imports: those that are due by the schedule of CRM_EXPORTS, which is read again each time,
and those that the API was asked for."""

import asyncio
from pathlib import Path

import psycopg
import structlog

from crm import zones
from crm.adapters.export_store import ExportStore
from crm.adapters.kafka.directory import Access
from crm.envelope import now
from crm.errors import Broken
from crm.exports import Phase, Status
from services.operations.export_schedule import Due, Scheduled, due, opened, read_schedule, write

LOOK_SECONDS, WANTED_SECONDS = 20.0, 0.5
AWAY = ("08", "57P")  # classes of errors: Postgres is not there, or stops
logger = structlog.get_logger()


async def export_as_wanted(store: ExportStore, dsn: str) -> None:
    """Never returns."""
    while True:
        try:
            await export_wanted(store, dsn)
        except OSError as error:
            logger.warning("trying again", error=repr(error))
        await asyncio.sleep(WANTED_SECONDS)


async def export_on_time(schedule: str, dsn: str, access: Access) -> None:
    """Never returns. What fails is logged and tried again at the next look."""
    said = ""
    while True:
        if not access.missing():
            try:
                await export_due(Path(schedule), dsn, access)
                said = ""
            except (OSError, ValueError) as error:
                if said != (said := str(error)):
                    logger.error("no export is written", why=said)
        await asyncio.sleep(LOOK_SECONDS)


async def export_wanted(store: ExportStore, dsn: str) -> None:
    """Writes what the API was asked for, the oldest first. Raises OSError of the place for files."""
    for request in await store.waiting():
        path = f"{store.folder(request.workspace, request.id)}/file"
        one = Due(Scheduled(request.workspace, request.what, request.name, where=request.where), path)
        try:
            status = Status(Phase.DONE, await asyncio.to_thread(write, dsn, store.store, one))
        except (psycopg.Error, ValueError, Broken) as error:
            if isinstance(error, psycopg.OperationalError) and (error.sqlstate or AWAY[0]).startswith(AWAY):
                logger.warning("an export is tried again", id=request.id, why=str(error))
                continue
            status = Status(Phase.FAILED, message=f"{str(error).splitlines()[0]}. Nothing was exported.")
        await store.settle(request, status)
        logger.info("export", id=request.id, phase=status.phase, rows=status.rows, why=status.message)
        await store.forget_old(now())


async def export_due(schedule: Path, dsn: str, access: Access) -> None:
    """Writes every file that is not there yet. Raises ValueError and OSError for the schedule."""
    read = read_schedule(schedule)
    store = opened(read)
    for one in await due(read, store, lambda workspace: zones.of_workspace(access.home(workspace).timezone), now()):
        try:
            count = await asyncio.to_thread(write, dsn, store, one)
        except (psycopg.Error, ValueError, OSError, Broken) as error:
            logger.warning("an export failed and is tried again", file=one.path, why=str(error))
        else:
            logger.info("export", file=one.path, rows=count)
