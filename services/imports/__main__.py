"""The role imports: `python -m services.imports`. It reads files that were sent to the API, one after the other."""

import asyncio
import tempfile
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import structlog
from psycopg import AsyncConnection, OperationalError

from crm.adapters.export_store import ExportStore
from crm.adapters.import_store import ImportStore
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.trial_store import TrialStore
from crm.envelope import now
from crm.errors import NotYet
from crm.imports import AT_WORK, STOPS, UNDOES, Counts, Options, Phase, Request, Status, Wish
from crm.scalars import Id
from crm.settings import Settings
from crm.state import UndoneImport
from crm.topics import INTAKE
from services.imports.exporting import export_as_wanted, export_on_time
from services.imports.failed_rows import REASON
from services.imports.importing import Importing
from services.imports.inbox import UNKNOWN, take_files
from services.imports.reading import open_file, read_import
from services.imports.table import NoTable
from services.imports.trying import try_as_wanted
from services.imports.undo.undoing import Undoing
from services.tables.unreadable import Unreadable
from streams.runtime.role import run

LOOK_SECONDS = 0.5
KAFKA_SECONDS = 30.0
OVER = {
    Wish.CHECK: Phase.CHECKED,
    Wish.RUN: Phase.DONE,
    Wish.PAUSE: Phase.PAUSED,
    Wish.CANCEL: Phase.CANCELLED,
    Wish.CHECK_UNDO: Phase.UNDO_CHECKED,
    Wish.UNDO: Phase.UNDONE,
    Wish.REDO: Phase.DONE,
}
PAUSED = "Paused. {rows:,} rows were imported; it goes on there when it is run again."
CANCELLED = "Cancelled. {rows:,} rows were imported and stay."
UNDO_CANCELLED = "Cancelled. {records:,} records are gone and stay so; `crm import redo` brings them back."
UNDONE = "SELECT value ->> 'count' FROM core.state WHERE workspace = %s AND key = %s"
AGAIN = "This import was undone before: its rows come again, each as if it came for the first time."
MAILED = "It came by a mail that names {} as its sender, which a mail can do wrongly: look before you run it."
NOT_UNDONE = "This import was not undone, so there is nothing to bring back. Nothing was changed."
logger = structlog.get_logger()


class Role:
    """Does what is asked for, the oldest first; what a restart cut off goes on at the row where it was."""

    def __init__(self, settings: Settings) -> None:
        self.settings, self.access = settings, Access()
        self.log = KafkaLog(settings.kafka_bootstrap, [INTAKE["facts"].name], timeout=KAFKA_SECONDS)

    def missing(self) -> str | None:
        if not (self.settings.imports or self.settings.exports):
            return None
        return self.access.missing() or (self.log.missing() if self.settings.imports else None)

    async def run(self) -> None:
        if not (self.settings.imports or self.settings.exports):
            logger.info("CRM_IMPORTS names no place for files: nothing can be imported")
            await asyncio.Event().wait()
        await self.access.start(self.settings.kafka_bootstrap)
        async with asyncio.TaskGroup() as works:
            if self.settings.exports:
                works.create_task(export_on_time(self.settings.exports, self.settings.database_url, self.access))
            if self.settings.imports:
                store = ImportStore.open(self.settings.imports)
                works.create_task(self.import_files(store))
                works.create_task(export_as_wanted(ExportStore(store.store), self.settings.database_url))
                works.create_task(try_as_wanted(TrialStore(store.store)))

    async def import_files(self, store: ImportStore) -> None:
        async with self.log:
            while True:
                try:
                    await take_files(store, now())
                    for workspace, id in await store.waiting():
                        await Work(self, store, workspace, id).do()
                except (OSError, OperationalError) as error:
                    logger.warning("trying again", error=repr(error))
                await asyncio.sleep(LOOK_SECONDS)


class Work:
    """What was asked for of one file."""

    def __init__(self, role: Role, store: ImportStore, workspace: Id, id: Id) -> None:
        self.role, self.store, self.workspace, self.id = role, store, workspace, id
        self.stopped: Wish | None = None  # by which wish, or by another one

    async def do(self) -> None:
        request = await self.store.request(self.workspace, self.id)
        if request is None:
            return
        status = await self.store.status(self.workspace, self.id) or Status(self.id)
        if status.answers != request.number:
            status = begun(request, status)
        try:
            if request.wish not in STOPS:
                await self.perform(request, status)
            if request.wish not in STOPS or status.phase in (*AT_WORK, Phase.PAUSED):
                status.phase = OVER[request.wish if self.stopped is None else self.stopped]
        except NoTable as error:
            status.phase, status.message = Phase.FAILED, str(error)
        except Unreadable as error:  # behind rows that were taken
            status.phase, status.message = Phase.FAILED, f"{error.why} Rows so far stay. {error.what_to_do}".rstrip()
        except (OSError, OperationalError, NotYet):
            raise  # a server is away: it goes on where it was
        except Exception as error:
            logger.exception("an import failed", id=self.id)
            status.phase, status.message = Phase.FAILED, f"The program failed at it: {error!r}. Rows so far stay."
        await self.store.report(self.workspace, status)
        await self.store.settle(request)
        logger.info(
            "import",
            id=self.id,
            phase=status.phase,
            why=status.message,
            rows=status.counts.rows,
            errors=status.counts.error,
        )

    async def perform(self, request: Request, status: Status) -> None:
        """Raises NoTable."""
        status.phase = Phase.CHECKING if request.wish is Wish.CHECK else Phase.RUNNING
        async with await AsyncConnection.connect(self.role.settings.database_url, autocommit=True) as conn:
            generation = await undone_count(conn, self.workspace, self.id)
        if request.wish in UNDOES:
            await self.undo(request, status, generation)
            return
        if request.wish is Wish.REDO and not generation:
            raise NoTable(NOT_UNDONE)
        with tempfile.TemporaryDirectory(prefix="import-") as folder:
            file, failed = Path(folder) / "file", Path(folder) / "failed"
            try:
                await self.store.fetch(self.workspace, request.sha256, file)
            except FileNotFoundError:
                raise NoTable("Its bytes are no longer in the place of files. Send it again.") from None
            home = self.role.access.home(self.workspace)
            table = await asyncio.to_thread(open_file, request, file)
            columns = [name for name in table.header if name != REASON]
            before = await self.store.remembered(self.workspace, columns)
            if request.unattended and before is None:
                await self.store.leave(self.workspace, request.name, file)
                raise NoTable(UNKNOWN)
            reading = await asyncio.to_thread(read_import, request, table, home, before)
            reading = replace(reading, generation=generation)
            reading.describe(status)
            if generation:
                status.notes.append(AGAIN)
            if request.mailed_by:
                status.notes.append(MAILED.format(request.mailed_by))
            report = partial(self.report, request, status)
            await report()
            importing = Importing(reading, status, failed, report, lambda: self.stopped is not None)
            dsn = self.role.settings.database_url
            async with await AsyncConnection.connect(dsn, autocommit=True, options="-c jit=off") as conn:
                with closing(importing.failed):
                    if request.wish is Wish.CHECK:
                        await importing.check(conn)
                        status.checked = status.counts if self.stopped is None else Counts()
                    else:
                        await importing.run(conn, self.role.log)
                        if not request.unattended:
                            await self.store.remember(self.workspace, columns, remembered(request, before))
            if importing.failed.count:
                await self.store.keep_failed(self.workspace, self.id, failed)
                status.failed = failed_name(request.name)
                if request.unattended:
                    await self.store.leave(self.workspace, status.failed, failed)

    async def undo(self, request: Request, status: Status, count: int) -> None:
        """Takes back what the history says that the import did; its file is not needed. `count`: of undos before."""
        status.phase = Phase.UNDOING
        report = partial(self.report, request, status)
        with tempfile.TemporaryDirectory(prefix="import-") as folder:
            kept = Path(folder) / "kept"
            settings = self.role.settings
            undoing = Undoing(
                request, status, count, kept, report, lambda: self.stopped is not None, settings.kafka_bootstrap
            )
            dsn = settings.database_url
            async with await AsyncConnection.connect(dsn, autocommit=True, options="-c jit=off") as conn:
                with closing(undoing.kept):
                    await report()
                    if request.wish is Wish.UNDO:
                        await undoing.run(conn, self.role.log)
                    else:
                        await undoing.check(conn)
            status.failed = f"{Path(request.name).stem}.kept.csv" if undoing.kept.count else ""
            if undoing.kept.count:
                await self.store.keep_failed(self.workspace, self.id, kept)

    async def report(self, request: Request, status: Status) -> None:
        await self.store.report(self.workspace, status)
        newest = await self.store.request(self.workspace, self.id)
        if newest is not None and newest.number != request.number:
            self.stopped = newest.wish if newest.wish in STOPS else Wish.PAUSE


async def undone_count(conn: AsyncConnection, workspace: Id, id: Id) -> int:
    """Returns how often an import was undone: so often its rows are new."""
    key = f"{UndoneImport.__name__}/{id}"
    found = await (await conn.execute(UNDONE, [workspace, key])).fetchone()
    return int(found[0]) if found else 0


def remembered(request: Request, before: Options | None) -> Options:
    """What holds for the next file with these columns: what was said of this one, else what held for it."""
    return before if before and not request.options.columns else request.options


def begun(request: Request, before: Status) -> Status:
    """Returns the status of a new request: what was imported before of the same file does not count again, unless it
    goes on where it was paused."""
    if request.wish in STOPS or (request.resumes and before.row):
        before.answers = request.number
        if request.wish not in STOPS:
            before.message = ""
        elif before.phase in (*AT_WORK, Phase.PAUSED):
            before.message = stopped(request.wish, before)
        return before
    return Status(request.id, answers=request.number, name=request.name, checked=before.checked)


def stopped(wish: Wish, before: Status) -> str:
    if before.undo:
        return UNDO_CANCELLED.format(records=before.undo.removed)
    return (PAUSED if wish is Wish.PAUSE else CANCELLED).format(rows=before.decided)


def failed_name(name: str) -> str:
    path = Path(name)
    suffix = path.suffix if path.suffix.lower() in (".csv", ".tsv", ".txt") else ".csv"
    return f"{path.stem}.failed{suffix}"


if __name__ == "__main__":
    run("imports", Role)
