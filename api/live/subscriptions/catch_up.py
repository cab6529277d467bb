"""What subscribers missed, looked up in the journal: all who ask at one time are served by one reading."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from typing import NamedTuple

import structlog

from api.errors import ApiError
from api.live.journal import Journal, JournalGap
from api.live.positions import Places
from api.live.subscriptions.subscriber import Subscriber
from projections import PROJECTIONS

SPAN = 500_000  # events between a cursor and now that are looked through
log = structlog.get_logger()
HANDLERS = {
    kind: tuple(p for p in PROJECTIONS.values() if kind in p.handles)
    for kind in {kind for p in PROJECTIONS.values() for kind in p.handles}
}


class CursorTooOld(ApiError):
    """Too much happened since."""

    code = "CURSOR_TOO_OLD"


class Request(NamedTuple):
    """Who wants to know what changed between the two."""

    subscriber: Subscriber
    since: Places
    until: Places

    @property
    def span(self) -> int:
        return sum(max(0, b - a) for a, b in zip(self.since, self.until, strict=True))


class Returning:
    """Reads in rounds: who comes during one waits for the next."""

    def __init__(self, journal: Callable[[], Journal]) -> None:
        self.journal = journal
        self.waiting: list[Request] = []
        self.task: asyncio.Task[None] | None = None

    def look_up(self, request: Request) -> None:
        subscriber = request.subscriber
        if not request.span:
            return
        if request.span > SPAN:
            if subscriber.key:  # one row is told as it stands: cheaper than to find out whether it changed
                return subscriber.take(subscriber.key, None)
            return subscriber.client.fail(
                CursorTooOld(
                    f"More than {SPAN} events happened since this cursor. Read the list again, then subscribe with "
                    "the `position` of its `extensions.freshness` as `after`."
                )
            )
        subscriber.behind += 1
        self.waiting.append(request)
        if self.task is None or self.task.done():
            self.task = asyncio.create_task(self.run())

    async def run(self) -> None:
        while self.waiting:
            requests, self.waiting = self.waiting, []
            try:
                await self.round(requests)
            except JournalGap as error:
                log.error("what was missed cannot be told: the journal has a gap", error=error.message)
                for request in requests:
                    request.subscriber.client.fail(error)
            for request in requests:
                request.subscriber.behind -= 1

    async def round(self, requests: list[Request]) -> None:
        asked: dict[tuple[str, str, str | None], list[Request]] = {}
        for request in requests:
            subscriber = request.subscriber
            name = subscriber.feed.projection.name
            asked.setdefault((name, subscriber.workspace, subscriber.key), []).append(request)
        begin = tuple(map(min, *(r.since for r in requests), requests[0].until))
        end = tuple(map(max, *(r.until for r in requests), begin))
        workspaces = {workspace.encode() for _, workspace, _ in asked}
        async with aclosing(self.journal().between(begin, end, workspaces)) as stretches:
            async for stretch in stretches:
                for workspace, entries in stretch.entries.items():
                    for entry in entries:
                        for projection in HANDLERS.get(type(entry.event), ()):
                            key = projection.key_of(entry.event)
                            for wanted in (key, None):
                                for request in asked.get((projection.name, workspace.decode(), wanted), ()):
                                    if (
                                        request.since[entry.partition]
                                        <= entry.position
                                        < request.until[entry.partition]
                                    ):
                                        request.subscriber.take(key, {entry.partition: entry.position + 1})

    def close(self) -> None:
        if self.task:
            self.task.cancel()
