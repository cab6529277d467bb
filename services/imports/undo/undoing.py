"""Checks and runs the undo of one import: card by card from the history, on the decisions that a run makes."""

import asyncio
import csv
import time
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing
from functools import partial
from pathlib import Path
from typing import IO, Any

from msgspec.structs import asdict
from psycopg import AsyncConnection

from crm.adapters.postgres.history import of_streams
from crm.adapters.postgres.history_of_sources import behind, heads, streams_of
from crm.decisions.import_undo import NOTHING_LEFT
from crm.engine.trial import Outcome, Trial
from crm.envelope import Event, Fact, named_id, now
from crm.errors import NotYet
from crm.events import ContactRemoved, DealRemoved, DeliveryNoted, ObjectRemoved, ReportWithdrawn
from crm.facts import ImportedRecordUndone, ImportUndoReported
from crm.imports import Kept, Request, Status, Undo, import_source, undo_source
from crm.log import Log
from crm.scalars import Id
from crm.shared import Meta
from services.imports.decided import AHEAD_EVENTS, FOR_DECIDE, FOR_PROJECT, undecided, unprojected, wait_until
from services.imports.undo.diff import Sources
from services.imports.undo.plan import TYPES, Plan, Planned, plan_of
from services.imports.undo.waiting import wait_until_known
from services.intake.records import OPEN, written

STREAMS = 500  # cards and objects that are planned at a time
SHOWN = 50  # reasons in a status
AHEAD = 1  # pages that are sent and not decided while the next one is planned
REPORT_SECONDS = 1.0
HEADER = ("record", "id", "name", "reason")
REMOVED = {ContactRemoved: "contacts", DealRemoved: "deals", ObjectRemoved: "objects"}

Report = Callable[[], Awaitable[None]]


class KeptFile:
    """All that an undo leaves, each with its reason: a CSV file for people."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self.file: IO[str] | None = None

    def add(self, kept: Kept) -> None:
        if self.file is None:
            self.file = self.path.open("w", encoding="utf-8-sig", newline="")
            csv.writer(self.file).writerow(HEADER)
        csv.writer(self.file).writerow((kept.record, kept.id, kept.name, kept.why))
        self.count += 1

    def close(self) -> None:
        if self.file:
            self.file.close()


class Undoing:
    """One undo at work. `count`: how often the import was undone before. `is_over` says that a person cancelled it."""

    def __init__(
        self,
        request: Request,
        status: Status,
        count: int,
        kept: Path,
        report: Report,
        is_over: Callable[[], bool],
        bootstrap: str = "",
    ) -> None:
        self.request, self.status, self.report, self.is_over = request, status, report, is_over
        self.bootstrap = bootstrap
        self.undo = status.undo = status.undo or Undo()
        self.number = self.undo.number or count + 1
        before = range(self.number)
        imports = tuple(import_source(request.id, generation) for generation in before)
        undos = (undo_source(request.id, number) for number in range(1, self.number + 1))
        self.sources = Sources(imports, frozenset((*imports, *undos)))
        self.source = undo_source(request.id, self.number)
        self.why = f"the import of {request.name} was undone"
        self.kept = KeptFile(kept)
        self.sent: deque[list[Id]] = deque()
        self.seconds, self.began = status.seconds, time.monotonic()

    async def check(self, conn: AsyncConnection) -> None:
        """Counts what would become of each card. Nothing is written."""
        self.undo = self.status.undo = Undo()
        await wait_until_known(conn, self.bootstrap, self.is_over, self.report)
        with Trial(conn) as trial:
            async with aclosing(self.planned(conn)) as pages:
                async for streams, parts in pages:
                    await self.count_all(trial, parts, self.facts(parts), again=False)
                    await self.progress(streams)
                    if self.is_over():
                        return

    async def run(self, conn: AsyncConnection, log: Log) -> None:
        """Goes on behind `status.undo.after`, up to which everything is counted."""
        await wait_until_known(conn, self.bootstrap, self.is_over, self.report)
        with Trial(conn) as trial:
            await self.send_all(conn, log, trial)
        if self.undo.number:
            await self.send(conn, log, [self.ended()])
            await self.settle(conn, ahead=0)
            shown = partial(behind, conn, await heads(conn))
            await self.wait(shown, 0, "All is decided; the cards follow.", self.is_over)

    async def send_all(self, conn: AsyncConnection, log: Log, trial: Trial) -> None:
        """Sends what is to be undone, page by page; the next one is planned while those before it are decided."""
        counted, begun = self.undo.after, False
        async with aclosing(self.planned(conn)) as pages:
            async for streams, parts in pages:
                if self.is_over():
                    break
                facts = self.facts(parts)
                again = bool(counted) and streams[-1] <= counted
                if facts and not begun:  # what was begun before a restart is not begun twice
                    self.undo.number, begun = self.number, True
                    await self.report()
                    await self.send(conn, log, [self.begun()])
                await self.count_all(trial, parts, facts, again)
                if not again:
                    self.undo.after = streams[-1]
                await self.progress(streams, always=not again)
                await self.send(conn, log, facts)
        await self.settle(conn, ahead=0)

    async def pages(self, conn: AsyncConnection) -> Iterator[list[Id]]:
        streams = await streams_of(conn, self.request.workspace, self.sources.imports)
        self.status.done, self.status.whole = 0, len(streams)
        return streams.pages(STREAMS)

    async def planned(self, conn: AsyncConnection) -> AsyncGenerator[tuple[list[Id], list[Plan]], None]:
        """Yields each page of streams with its plans. Decisions see what came since they were read."""
        for page in await self.pages(conn):
            yield page, await self.plans(conn, page)

    async def plans(self, conn: AsyncConnection, streams: Sequence[Id]) -> list[Plan]:
        events = await of_streams(conn, TYPES, self.request.workspace, streams)
        by_stream: dict[Id, list[Event]] = {stream: [] for stream in streams}
        for event in events:
            by_stream[event.meta.stream].append(event)
        return [plan_of(stream, found, self.sources) for stream, found in by_stream.items()]

    def facts(self, plans: Sequence[Plan]) -> list[Fact]:
        return [self.fact(one) for plan in plans for one in plan.planned]

    def fact(self, planned: Planned) -> Fact:
        meta = self.meta(named_id(self.source, f"{planned.record}/{planned.id}"), planned.stream)
        return ImportedRecordUndone(meta=meta, import_id=self.request.id, why=self.why, **fields_of(planned))

    def meta(self, id: Id, stream: Id) -> Meta:
        at = now()
        return Meta(id, self.request.workspace, stream, at, at, self.source, id, actor="import")

    def begun(self) -> Fact:
        meta = self.meta(named_id(self.source, "begun"), self.request.id)
        return ImportUndoReported(meta, self.request.id, self.request.name, self.number)

    def ended(self) -> Fact:
        undo, meta = self.undo, self.meta(named_id(self.source, "ended"), self.request.id)
        counts = undo.removed, undo.set_back, undo.kept
        return ImportUndoReported(meta, self.request.id, self.request.name, self.number, True, *counts)

    async def count_all(self, trial: Trial, plans: Sequence[Plan], facts: Sequence[Fact], again: bool) -> None:
        outcomes = iter(await trial.decide(facts) if facts else [])
        for plan in plans:
            self.count(plan, [next(outcomes) for _ in plan.planned], again)

    def count(self, plan: Plan, outcomes: Sequence[Outcome], again: bool) -> None:
        """`again`: it was counted before a restart, and only the file of what is kept lacks it."""
        kept = {one.id: one for one in plan.kept}
        for planned, outcome in zip(plan.planned, outcomes, strict=True):
            if why := why_kept(outcome):
                kept.setdefault(planned.id, Kept(planned.record, planned.id, plan.names[planned.id], f"{why}."))
            if not again and isinstance(outcome, list):
                self.count_events(outcome, planned.id in kept)
        for one in kept.values():
            self.kept.add(one)
            if not again:
                self.undo.kept += 1
                if len(self.undo.reasons) < SHOWN:
                    self.undo.reasons.append(one)

    def count_events(self, events: Sequence[Event], kept: bool) -> None:
        undo = self.undo
        names = [name for event in events for kind, name in REMOVED.items() if isinstance(event, kind)]
        for name in names:
            setattr(undo, name, getattr(undo, name) + 1)
        changes = [event for event in events if not isinstance(event, ReportWithdrawn | DeliveryNoted)]
        if changes and not names and not kept:
            undo.set_back += 1

    async def send(self, conn: AsyncConnection, log: Log, facts: Sequence[Fact]) -> None:
        """Returns once all but a few of what was sent is decided; what was sent before is not sent again."""
        ids = [fact.meta.id for fact in facts]
        await self.wait(partial(unprojected, conn), AHEAD_EVENTS, FOR_PROJECT, self.is_over)
        while await undecided(conn, ids):
            try:
                await log.send(*(written(fact, OPEN) for fact in facts))
                break
            except NotYet as error:
                self.status.message = f"Waiting: {error}"
                await self.report()
                await asyncio.sleep(REPORT_SECONDS)
        self.sent.append(ids)
        await self.settle(conn, AHEAD)

    async def settle(self, conn: AsyncConnection, ahead: int) -> None:
        """Waits until no more than so many of the pages that were sent are undecided."""
        while len(self.sent) > ahead:
            await self.wait(partial(undecided, conn, self.sent.popleft()), 0, FOR_DECIDE, lambda: False)

    async def wait(self, left: Callable[[], Awaitable[int]], most: int, why: str, is_over: Callable[[], bool]) -> None:
        await wait_until(left, most, why, self.status, self.report, is_over)

    async def progress(self, streams: Sequence[Id], always: bool = False) -> None:
        status = self.status
        status.done += len(streams)
        seconds = self.seconds + time.monotonic() - self.began
        due = always or seconds - status.seconds >= REPORT_SECONDS
        status.seconds = seconds
        if due:
            await self.report()


def fields_of(planned: Planned) -> dict[str, Any]:
    return {name: value for name, value in asdict(planned).items() if name != "stream"}


def why_kept(outcome: Outcome) -> str:
    """Returns why a decision keeps a record; empty when it does not."""
    if isinstance(outcome, Exception):
        return f"The rule for it fails: {outcome!r}"
    noted = [event.why for event in outcome or () if isinstance(event, DeliveryNoted) and event.why != NOTHING_LEFT]
    return f"{noted[0][0].upper()}{noted[0][1:]}" if noted else ""
