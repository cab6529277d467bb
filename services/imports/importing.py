"""Checks and runs one import: rows become facts on Kafka, a few at a time, so that what is live is not held up."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from functools import partial
from pathlib import Path

from psycopg import AsyncConnection

from crm.adapters.postgres.history_of_sources import behind, heads
from crm.engine.trial import Outcome, Trial
from crm.envelope import Fact
from crm.errors import NotYet
from crm.imports import Counts, Reason, Status
from crm.log import Log
from crm.scalars import Id
from crm.versions import digest_of
from services.imports.ahead import chunks_of
from services.imports.decided import (
    AHEAD_EVENTS,
    FOR_DECIDE,
    FOR_PROJECT,
    quarantined,
    undecided,
    unprojected,
    wait_until,
)
from services.imports.failed_rows import FailedRows
from services.imports.outcome import outcome_of, somebody_else
from services.imports.reading import Read, Reading
from services.imports.rows import Skipped
from services.imports.table import NoTable
from services.intake.records import OPEN, written

CHUNK = 500  # rows
AHEAD = 3  # chunks that are stored and not decided: what comes in live waits behind no more than these
SHOWN = 50  # reasons in a status
REPORT_SECONDS = 1.0  # between two reports of how far it is
IN_QUARANTINE = "Decide put it into quarantine, which says why: `crm quarantine list`."

Report = Callable[[], Awaitable[None]]
IsOver = Callable[[], bool]


class Importing:
    """One import at work. `report` stores the status; `is_over` says that a person cancelled it."""

    def __init__(self, reading: Reading, status: Status, failed: Path, report: Report, is_over: IsOver) -> None:
        self.reading, self.status, self.report, self.is_over = reading, status, report, is_over
        self.failed = FailedRows(failed, reading.table)
        self.before = status.seconds
        self.began = self.reported = time.monotonic()

    async def check(self, conn: AsyncConnection) -> None:
        """Counts what would become of every row. Nothing is written."""
        status = self.status
        status.counts, status.reasons, status.doubts, status.skipped = Counts(), [], [], []  # also after a restart
        with Trial(conn) as trial:
            async with aclosing(chunks_of(self.reading, CHUNK)) as reads:
                async for chunk in reads:
                    facts = facts_in(chunk)
                    outcomes = iter(await trial.decide(facts) if facts else [])
                    name_of = partial(trial.contact_name, self.reading.request.workspace)
                    status.counts.rows += len(chunk)
                    for read in chunk:
                        if isinstance(read.fact, Fact):
                            self.count(read, *explained(read.fact, next(outcomes), name_of))
                        else:
                            self.set_aside(read)
                    await self.report_sometimes(chunk[-1])
                    if self.is_over():
                        return

    async def run(self, conn: AsyncConnection, log: Log) -> None:
        """Sends the rows that are behind `status.row`, up to which everything was sent, decided and counted before."""
        after = self.status.row
        waiting: deque[list[Read]] = deque()
        async with aclosing(chunks_of(self.reading, CHUNK)) as reads:
            async for chunk in reads:
                if chunk[0].row.number > after == 0 and not self.status.sent:
                    await self.require_hope(conn, facts_in(chunk))
                before = [read for read in chunk if read.row.number <= after]
                await self.count_run(conn, before, again=True)
                if new := chunk[len(before) :]:
                    if await undecided(conn, ids_of(new)):  # a file that was imported before writes nothing to Kafka
                        await self.wait(partial(unprojected, conn), AHEAD_EVENTS, FOR_PROJECT)
                        await self.send(log, facts_in(new))
                    waiting.append(new)
                while len(waiting) >= AHEAD:
                    await self.settle(conn, waiting.popleft())
                await self.report_sometimes(chunk[-1])
                if self.is_over():
                    break
                await asyncio.sleep(0)
        while waiting:
            await self.settle(conn, waiting.popleft())
        await self.wait(partial(behind, conn, await heads(conn)), 0, "All rows are decided; the cards follow.")

    async def require_hope(self, conn: AsyncConnection, facts: list[Fact]) -> None:
        """Raises NoTable when decide would take none of the first rows: a million of them would fill the quarantine."""
        with Trial(conn) as trial:
            outcomes = [outcome_of(events) for events in await trial.decide(facts)] if facts else []
        if outcomes and all(kind == "error" for kind, _ in outcomes):
            raise NoTable(
                f"None of its first {len(outcomes):,} rows can be taken: {outcomes[0][1]} Nothing was imported."
            )

    async def send(self, log: Log, facts: list[Fact]) -> None:
        records = [written(fact, OPEN, digest_of(fact)) for fact in facts]
        while records:
            try:
                await log.send(*records)
            except NotYet as error:
                self.status.message = f"Waiting: {error}"
                await self.report()
                await asyncio.sleep(REPORT_SECONDS)
            else:
                self.status.message = ""
                self.status.sent += len(records)
                return

    async def settle(self, conn: AsyncConnection, reads: list[Read]) -> None:
        """Waits until these rows are decided, and counts them."""
        ids = ids_of(reads)
        if not await self.wait(partial(undecided, conn, ids), 0, FOR_DECIDE):
            return
        await self.count_run(conn, reads)
        self.status.decided += len(ids)
        self.status.row = reads[-1].row.number

    async def wait(self, left: Callable[[], Awaitable[int]], most: int, why: str) -> bool:
        return await wait_until(left, most, why, self.status, self.report, self.is_over)

    async def count_run(self, conn: AsyncConnection, reads: list[Read], again: bool = False) -> None:
        """`again`: they were counted before a restart, and only the file of failed rows lacks them."""
        ids = ids_of(reads)
        bad = await quarantined(conn, self.reading.request.workspace, ids) if ids else set()
        for read in reads:
            if not isinstance(read.fact, Fact):
                self.set_aside(read, again)
            elif read.fact.meta.id in bad:
                self.refuse(read, IN_QUARANTINE, again)
            if not again:
                self.status.counts.rows += 1

    def count(self, read: Read, outcome: str, why: str) -> None:
        counts = self.status.counts
        if outcome == "error":
            self.refuse(read, why)
            return
        setattr(counts, outcome, getattr(counts, outcome) + 1)
        if why:
            counts.doubt += 1
            note(self.status.doubts, read, why)

    def set_aside(self, read: Read, again: bool = False) -> None:
        """Counts a row that says nothing or cannot be read."""
        if not isinstance(read.fact, Skipped):
            self.refuse(read, str(read.fact), again)
        elif not again:
            self.status.counts.skip += 1
            note(self.status.skipped, read, read.fact.why)

    def refuse(self, read: Read, why: str, again: bool = False) -> None:
        self.failed.add(read.row, why)
        if not again:
            self.status.counts.error += 1
            note(self.status.reasons, read, why)

    async def report_sometimes(self, last: Read) -> None:
        status, now = self.status, time.monotonic()
        status.done = last.row.done
        status.seconds = self.before + now - self.began
        if now - self.reported >= REPORT_SECONDS:
            self.reported = now
            await self.report()


def explained(fact: Fact, events: Outcome, name_of: Callable[[Id], str]) -> tuple[str, str]:
    """Returns what becomes of a row, and why a person should look at it."""
    kind, why = outcome_of(events)
    whose = somebody_else(fact, events, name_of) if isinstance(events, list) else ""
    return kind, " ".join(filter(None, (why, whose)))


def note(reasons: list[Reason], read: Read, why: str) -> None:
    if len(reasons) < SHOWN:
        reasons.append(Reason(read.row.number, why))


def facts_in(reads: list[Read]) -> list[Fact]:
    return [read.fact for read in reads if isinstance(read.fact, Fact)]


def ids_of(reads: list[Read]) -> list[Id]:
    return [fact.meta.id for fact in facts_in(reads)]
