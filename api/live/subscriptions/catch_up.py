"""Finds the changes that subscribers missed, in the journal: one read serves all who wait at the time."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

import structlog

from api.errors import ApiError
from api.live.journal import Journal, JournalGap
from api.live.positions import Positions
from api.live.subscriptions.row_filter import UNKNOWN, Values
from api.live.subscriptions.subscriber import Subscriber
from projections import PROJECTIONS

SPAN = 500_000  # most events between a cursor and now that are searched
log = structlog.get_logger()
HANDLERS = {
    kind: tuple(p for p in PROJECTIONS.values() if kind in p.handles)
    for kind in {kind for p in PROJECTIONS.values() for kind in p.handles}
}


class CursorTooOld(ApiError):
    """Too many events happened since this cursor."""

    code = "CURSOR_TOO_OLD"


class CatchUpRequest(NamedTuple):
    """A subscriber that missed the changes between two positions."""

    subscriber: Subscriber
    since: Positions
    until: Positions
    before: Values | None = UNKNOWN  # None: the subscriber has no row yet that could leave its filter

    @property
    def span(self) -> int:
        return sum(max(0, b - a) for a, b in zip(self.since, self.until, strict=True))


class CatchUp:
    """Reads in rounds: requests that arrive during one wait for the next."""

    def __init__(self, journal: Callable[[], Journal]) -> None:
        self.journal = journal
        self.waiting: list[CatchUpRequest] = []
        self.task: asyncio.Task[None] | None = None

    def look_up(self, request: CatchUpRequest) -> None:
        subscriber = request.subscriber
        if not request.span:
            return
        if request.span > SPAN:
            if subscriber.key:  # sending one row as it is now is cheaper than finding out whether it changed
                return subscriber.take(subscriber.key, None)
            return subscriber.client.fail(
                CursorTooOld(
                    f"This cursor is too old: more than {SPAN} events happened since. Read the list again, then "
                    "subscribe with the `position` of its `extensions.freshness` as `after`."
                )
            )
        subscriber.catching_up += 1
        self.waiting.append(request)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        while self.waiting:
            requests, self.waiting = self.waiting, []
            try:
                await self.round(requests)
            except JournalGap as error:
                log.error("missed changes cannot be sent: the journal has a gap", error=error.message)
                for request in requests:
                    request.subscriber.client.fail(error)
            for request in requests:
                request.subscriber.catching_up -= 1

    async def round(self, requests: list[CatchUpRequest]) -> None:
        """Reads the journal once, for all of these requests."""
        requested: dict[tuple[str, str, str | None], list[CatchUpRequest]] = {}
        for request in requests:
            subscriber = request.subscriber
            name = subscriber.feed.projection.name
            requested.setdefault((name, subscriber.workspace, subscriber.key), []).append(request)
        begin = tuple(map(min, *(r.since for r in requests), requests[0].until))
        end = tuple(map(max, *(r.until for r in requests), begin))
        workspaces = {workspace.encode() for _, workspace, _ in requested}
        async with aclosing(self.journal().read_range(begin, end, workspaces)) as slices:
            async for part in slices:
                for workspace, entries in part.entries.items():
                    for entry in entries:
                        for projection in HANDLERS.get(type(entry.event), ()):
                            key = projection.key_of(entry.event)
                            for wanted in (key, None):
                                for request in requested.get((projection.name, workspace.decode(), wanted), ()):
                                    n, position = entry.partition, entry.position
                                    if request.since[n] <= position < request.until[n]:
                                        request.subscriber.take(key, {n: position + 1}, request.before)

    def close(self) -> None:
        if self.task:
            self.task.cancel()
