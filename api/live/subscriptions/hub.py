"""Dispatches changes to subscribers, found by the row's key, so that a change wakes only its own subscribers."""

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import structlog

from api.errors import Unavailable
from api.live.journal import Journal
from api.live.positions import BEGINNING, Positions
from api.live.subscriptions.catch_up import CatchUp, CatchUpRequest
from api.live.subscriptions.progress import BY_TABLE
from api.live.subscriptions.recent import Pair, Recent
from api.live.subscriptions.resume_cursor import ResumeCursor, moved
from api.live.subscriptions.row_filter import UNKNOWN
from api.live.subscriptions.subscriber import Subscriber
from crm.adapters.telemetry.metrics import SUBSCRIBERS

log = structlog.get_logger()


class Notice(msgspec.Struct, frozen=True, gc=False):
    """The payload of a notification. The last one of each transaction of the project role has only `moved`."""

    projection: str = ""  # its table, such as deal_v1
    workspace: str = ""
    keys: tuple[str, ...] = ()  # rows that changed
    # What filters compare, as it was before, of each row of which that changed; a project role before 0.4 sends none.
    before: dict[str, dict[str, Any]] | None = None
    at: dict[int, int] = {}  # the next position of each partition whose events the transaction processed
    moved: tuple[tuple[tuple[str, ...], dict[int, int]], ...] = ()  # the new positions of these projections


class Hub:
    """The subscribers of one process."""

    def __init__(self, journal: Journal) -> None:
        self.subscribers: dict[tuple[str, str, str | None], set[Subscriber]] = {}
        self.recent = Recent()
        self.journal = journal
        self.catch_up = CatchUp(lambda: self.journal)
        self.parts: list[Notice] = []  # of the transaction whose notifications are arriving
        # Changes before these positions were dispatched, or are being looked up.
        self.dispatched: dict[str, Positions] = {}

    def add(self, subscriber: Subscriber, wanted: ResumeCursor | None) -> None:
        """Adds a subscriber. Raises Unavailable while the positions of the projections are not known yet."""
        name, pair = subscriber.feed.projection.name, pair_of(subscriber)
        if not self.dispatched:
            raise Unavailable("The database does not answer yet. Nothing was read; try again.")
        self.subscribers.setdefault((*pair, subscriber.key), set()).add(subscriber)
        SUBSCRIBERS.labels(name).inc()
        if wanted is None:
            subscriber.cursor = ResumeCursor(self.dispatched[name])
            return
        subscriber.cursor = wanted
        before = None if wanted == ResumeCursor(BEGINNING) else UNKNOWN  # who begins has no row that could leave
        if not self.recent.reaches(name, wanted):
            self.catch_up.look_up(CatchUpRequest(subscriber, wanted.safe, self.recent.complete_from[name], before))
        for key, at in list(self.recent.changed(pair, subscriber.key, wanted)):
            subscriber.take(key, at, before)

    def remove(self, subscriber: Subscriber) -> None:
        address = (*pair_of(subscriber), subscriber.key)
        if subscriber in (found := self.subscribers.get(address, set())):
            SUBSCRIBERS.labels(subscriber.feed.projection.name).dec()
            found.discard(subscriber)
            if not found:
                del self.subscribers[address]

    def subscribers_of(self, pair: Pair, key: str) -> Iterator[Subscriber]:
        for wanted in (key, None):
            yield from tuple(self.subscribers.get((*pair, wanted), ()))

    def take(self, payload: str) -> None:
        try:
            notice = msgspec.json.decode(payload, type=Notice)
        except msgspec.DecodeError as error:
            log.error("dropped a notification that cannot be decoded", error=str(error))
            return
        if notice.keys:
            self.parts.append(notice)
        if notice.moved or not notice.at:  # a project role before 0.3 sends no `at`
            self.dispatch()
        for tables, at in notice.moved:
            for table in tables:
                if name := BY_TABLE.get(table):
                    self.dispatched[name] = moved(self.dispatched[name], at)

    def dispatch(self) -> None:
        """Dispatches a whole transaction at once, because no cursor may point inside of one."""
        parts, self.parts = self.parts, []
        for notice in parts:
            if name := BY_TABLE.get(notice.projection):
                pair = name, notice.workspace
                self.recent.add(pair, notice.keys, notice.at)
                for key in notice.keys:
                    before = UNKNOWN if notice.before is None else notice.before.get(key)
                    for subscriber in self.subscribers_of(pair, key):
                        subscriber.take(key, notice.at or None, before)

    def advance(self, progress: Mapping[str, Positions]) -> None:
        """Records that `take` got every change before these positions."""
        self.dispatch()
        before = self.dispatched
        self.dispatched = {name: tuple(map(max, positions, before[name])) for name, positions in progress.items()}

    def resync(self, progress: Mapping[str, Positions]) -> None:
        """Looks up, after a reconnect to Postgres, what all present subscribers missed."""
        self.parts.clear()  # the rest of that transaction was missed, so all of it is looked up
        before, self.dispatched = self.dispatched, dict(progress)
        self.recent.begin(self.dispatched)
        for subscriber in [s for some in self.subscribers.values() for s in some]:
            name = subscriber.feed.projection.name
            if before[name] != self.dispatched[name]:
                self.catch_up.look_up(CatchUpRequest(subscriber, before[name], self.dispatched[name]))

    def close(self) -> None:
        self.catch_up.close()


def pair_of(subscriber: Subscriber) -> Pair:
    return subscriber.feed.projection.name, subscriber.workspace
