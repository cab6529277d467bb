"""Follows the journal for screens: each report of a call is looked up once for all screens of this process.

A call that begins to ring is shown as soon as it is decided, before the journal has it: api/live/early_rings.py.
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog

from api.errors import BadCursor, StaleRead, Unavailable
from api.live.changes import Changes
from api.live.early_rings import EarlyRings, announced, reports_in
from api.live.freshness import Freshness, position_text
from api.live.journal_entry import JournalEntry
from api.live.positions import Positions, as_positions, seal, unseal
from api.sql.database import rows
from api.sql.pool import Pool
from crm.adapters.kafka.journal_log import Slice
from crm.adapters.postgres import outbox
from crm.adapters.postgres.callers import LOOK_UP, RINGING, read_found, read_ringing
from crm.adapters.telemetry.metrics import SUBSCRIBERS
from crm.contract.codec import type_of
from crm.envelope import now
from crm.events import CallOpened, CallUpdated
from crm.scalars import Id, Micros
from crm.screen_pop.caller import Found
from crm.screen_pop.rings import TALKS, Facts, Message, Screen, Shown, may_ring, with_report
from crm.screen_pop.under_way import reports_of

KEPT_CALLS, KEPT_FOUND = 10_000, 2_000  # of this process
RETRY_SECONDS = 0.5
NOTHING = Found()
TYPES = (CallOpened, CallUpdated)
NOT_OURS = "This Last-Event-ID is none that /screen-pop sent to a token of this workspace. Connect without it."
log = structlog.get_logger()


class Pop(NamedTuple):
    """What a screen is sent. Without messages it brings a newer cursor only. `calls`: what is shown then."""

    workspace: str
    at: Sequence[int]
    calls: Mapping[Id, Shown]
    messages: Sequence[Message] = ()

    @property
    def cursor(self) -> str:
        """Returns the positions and what the screen shows, as a text that is valid in this workspace only."""
        shown = [(id, *msgspec.structs.astuple(call)) for id, call in self.calls.items()]
        return seal([self.at, shown], owner(self.workspace))


class ScreenPops:
    """The screens of one process."""

    def __init__(self, pool: Pool, changes: Changes, freshness: Freshness | None = None) -> None:
        self.pool, self.changes, self.freshness = pool, changes, freshness
        self.facts: dict[Id, Facts] = {}
        self.found: dict[Id, asyncio.Task[Found]] = {}  # by event
        self.open: dict[str, list[EarlyRings]] = defaultdict(list)  # the screens of each workspace
        self.showing: set[asyncio.Task[None]] = set()
        changes.on_rings = self.announced

    async def follow(self, workspace: str, employees: Sequence[str], resume: str | None) -> AsyncGenerator[Pop]:
        """Yields what happens on a screen, and a newer cursor at least once a second. Raises ApiError."""
        after, calls = read_cursor(resume, workspace) if resume else (None, {})
        screen = Screen(tuple(employees), calls)
        early = EarlyRings(screen)
        self.open[workspace].append(early)
        SUBSCRIBERS.labels("screen").inc()
        try:
            async with aclosing(self.pops(workspace, screen, early, after)) as pops:
                async for pop in pops:
                    yield pop
        finally:
            SUBSCRIBERS.labels("screen").dec()
            self.open[workspace].remove(early)
            if not self.open[workspace]:
                del self.open[workspace]

    async def announced(self, connection: psycopg.AsyncConnection, payload: str) -> None:
        """Shows the calls that begin to ring with a transaction that was just committed, on the screens open here."""
        id, workspaces = announced(payload)
        if wanted := self.open.keys() & set(workspaces):
            slices = [Slice(*part) for part in await outbox.row(connection, id)]
            for workspace, entries in reports_in(slices, wanted).items():
                task = asyncio.create_task(self.show_early(workspace, entries))
                self.showing.add(task)
                task.add_done_callback(self.showing.discard)

    async def show_early(self, workspace: str, entries: Sequence[JournalEntry]) -> None:
        for entry in entries:
            self.prepare(workspace, entry.event)
        rings = [entry.event for entry in entries if isinstance(entry.event, CallUpdated)]
        looked_up = [(event.employee, await self.look_up(workspace, event)) for event in rings]
        for early in self.open.get(workspace, ()):
            if any(not said or early.screen.wants(said, found.salespeople) for said, found in looked_up):
                early.waiting += entries
        self.changes.journal.wake()

    async def pops(
        self, workspace: str, screen: Screen, early: EarlyRings, after: Positions | None
    ) -> AsyncGenerator[Pop]:
        async with aclosing(self.changes.journal.follow(workspace, after, screen=True)) as pages:
            async for end, entries in pages:
                if after is None:
                    messages = await self.under_way(workspace, screen, end)
                    yield Pop(workspace, end, dict(screen.calls), messages)
                at = list(after or end)
                reports = [entry for entry in entries if type_of(entry.value) in TYPES]
                for entry in reports:
                    self.prepare(workspace, entry.event)
                for entry in reports:
                    at[entry.partition] = entry.position + 1
                    if early.is_repeat(entry):
                        continue
                    if messages := await self.take(workspace, screen, entry.event):
                        yield Pop(workspace, tuple(at), dict(screen.calls), messages)
                after = end
                for entry in early.take(end):
                    if messages := await self.take(workspace, screen, entry.event):
                        yield Pop(workspace, end, dict(screen.calls), messages)
                silent = screen.forget_silent(now())
                yield Pop(workspace, end, dict(screen.calls), silent)

    async def under_way(self, workspace: str, screen: Screen, at: Positions) -> list[Message]:
        """Returns the calls that ring already: of the rows once they hold everything before these positions. What they
        hold after them comes once more by the journal, and is shown already."""
        if self.freshness:
            with suppress(StaleRead):  # a projection that halted: better late calls than no screen
                await self.freshness.wait(position_text(at), ("call",))
        messages: list[Message] = []
        for row in await self.rows(RINGING, workspace=workspace):
            for event in reports_of(read_ringing(row["found"]), Id(workspace)):
                facts = with_report(Facts(), event)
                found = await self.read(workspace, event.call_id, event.phone.e164 if event.phone else "")
                messages += screen.take(event, facts, found, now())
        return messages

    def prepare(self, workspace: str, event: CallOpened | CallUpdated) -> None:
        """Notes what a report says, and begins to look up a call that rings."""
        id = event.call_id
        self.facts[id] = with_report(self.facts.pop(id, Facts()), event)
        forget_oldest(self.facts, KEPT_CALLS)
        if isinstance(event, CallUpdated) and may_ring(event, now()):
            self.look_up(workspace, event)

    async def take(self, workspace: str, screen: Screen, event: CallOpened | CallUpdated) -> list[Message]:
        if isinstance(event, CallOpened):
            return []
        needed = may_ring(event, now()) or (event.phase in TALKS and event.call_id in screen.calls)
        looked_up = self.look_up(workspace, event) if needed else None
        if looked_up and not looked_up.done():  # each screen asks, and most of them behind the first
            await asyncio.wait([looked_up])
        found = looked_up.result() if looked_up else NOTHING
        return screen.take(event, self.facts.get(event.call_id, with_report(Facts(), event)), found, now())

    def look_up(self, workspace: str, event: CallUpdated) -> asyncio.Task[Found]:
        """Returns the one look-up of a report."""
        task = self.found.get(event.meta.id)
        if task is None or (task.done() and task.exception()):
            phone = self.facts[event.call_id].phone.e164 if event.call_id in self.facts else ""
            task = self.found[event.meta.id] = asyncio.create_task(self.read(workspace, event.call_id, phone))
            forget_oldest(self.found, KEPT_FOUND)
        return task

    async def read(self, workspace: str, call: Id, phone: str) -> Found:
        (row,) = await self.rows(LOOK_UP, workspace=workspace, call=call, phone=phone)
        return read_found(row["found"])

    async def rows(self, statement: str, **parameters: str) -> Sequence[Mapping[str, Any]]:
        """Waits while Postgres does not answer. To plan the look-up takes ten times as long as to carry it out."""
        while True:
            try:
                return await rows(self.pool, statement, parameters, one_plan=True)
            except Unavailable as error:
                log.warning("who is calling cannot be looked up; trying again", error=error.message)
                await asyncio.sleep(RETRY_SECONDS)


def forget_oldest(kept: dict[Id, Any], most: int) -> None:
    if len(kept) > most:
        del kept[next(iter(kept))]


def read_cursor(text: str, workspace: str) -> tuple[Positions, dict[Id, Shown]]:
    """Raises BadCursor."""
    try:
        at, shown = unseal(text, owner(workspace))
        given = msgspec.convert(shown, list[tuple[Id, Micros, Micros, dict[str, str]]])
        return as_positions(at), {id: Shown(rang_at, heard_at, rings) for id, rang_at, heard_at, rings in given}
    except (BadCursor, ValueError, TypeError):
        raise BadCursor(NOT_OURS) from None


def owner(workspace: str) -> str:
    return f"{workspace} screen-pop"
