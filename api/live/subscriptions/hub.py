"""Hands each change to those who want it: found by the row's key, so that a change wakes its own subscribers only."""

from collections.abc import Iterator, Mapping

import msgspec
import structlog

from api.errors import Unavailable
from api.live.journal import Journal
from api.live.positions import Places
from api.live.subscriptions.catch_up import Request, Returning
from api.live.subscriptions.progress import BY_TABLE
from api.live.subscriptions.recent import Pair, Recent
from api.live.subscriptions.resume_cursor import Standing, moved
from api.live.subscriptions.subscriber import Subscriber
from crm.adapters.telemetry.metrics import SUBSCRIBERS

log = structlog.get_logger()


class Notice(msgspec.Struct, frozen=True, gc=False):
    """The payload of a notification. Of each transaction of the project role the last has `moved` only."""

    projection: str = ""  # its table, such as deal_v1
    workspace: str = ""
    keys: tuple[str, ...] = ()  # rows that changed
    at: dict[int, int] = {}  # the next position of each partition that the transaction took events of
    moved: tuple[tuple[tuple[str, ...], dict[int, int]], ...] = ()  # how far it took these projections


class Hub:
    """Of one process."""

    def __init__(self, journal: Journal) -> None:
        self.subscribers: dict[tuple[str, str, str | None], set[Subscriber]] = {}
        self.recent = Recent()
        self.journal = journal
        self.returning = Returning(lambda: self.journal)
        self.parts: list[Notice] = []  # of the transaction that is being told
        self.heard: dict[str, Places] = {}  # all that the projections did up to here was handed out, or is looked up

    def add(self, subscriber: Subscriber, wanted: Standing | None) -> None:
        """Raises Unavailable while it is not known how far the projections are."""
        name, pair = subscriber.feed.projection.name, of(subscriber)
        if not self.heard:
            raise Unavailable("The database does not answer yet. Nothing was read; try again.")
        self.subscribers.setdefault((*pair, subscriber.key), set()).add(subscriber)
        SUBSCRIBERS.labels(name).inc()
        if wanted is None:
            subscriber.standing = Standing(self.heard[name])
            return
        subscriber.standing = wanted
        if not self.recent.reaches(name, wanted):
            self.returning.look_up(Request(subscriber, wanted.safe, self.recent.begun[name]))
        for key, at in list(self.recent.changed(pair, subscriber.key, wanted)):
            subscriber.take(key, at)

    def remove(self, subscriber: Subscriber) -> None:
        place = (*of(subscriber), subscriber.key)
        if subscriber in (found := self.subscribers.get(place, set())):
            SUBSCRIBERS.labels(subscriber.feed.projection.name).dec()
            found.discard(subscriber)
            if not found:
                del self.subscribers[place]

    def wanting(self, pair: Pair, key: str) -> Iterator[Subscriber]:
        for wanted in (key, None):
            yield from tuple(self.subscribers.get((*pair, wanted), ()))

    def take(self, payload: str) -> None:
        try:
            notice = msgspec.json.decode(payload, type=Notice)
        except msgspec.DecodeError as error:
            log.error("a notification cannot be read; it is dropped", error=str(error))
            return
        if notice.keys:
            self.parts.append(notice)
        if (
            notice.moved or not notice.at
        ):  # without `at` it is of a role before 0.3, whose last notice is like the others
            self.hand_out()
        for tables, at in notice.moved:
            for table in tables:
                if name := BY_TABLE.get(table):
                    self.heard[name] = moved(self.heard[name], at)

    def hand_out(self) -> None:
        """A whole transaction at once: no cursor may stand inside it."""
        parts, self.parts = self.parts, []
        for notice in parts:
            if name := BY_TABLE.get(notice.projection):
                pair = name, notice.workspace
                self.recent.add(pair, notice.keys, notice.at)
                for key in notice.keys:
                    for subscriber in self.wanting(pair, key):
                        subscriber.take(key, notice.at or None)

    def reach(self, reached: Mapping[str, Places]) -> None:
        """All that the projections did up to here was given to `take`."""
        self.hand_out()
        self.heard = {name: tuple(map(max, places, self.heard[name])) for name, places in reached.items()}

    def begin(self, reached: Mapping[str, Places]) -> None:
        """Listening again: what was missed is looked up for all who are there."""
        self.parts.clear()  # the rest of that transaction was not heard: it is looked up
        before, self.heard = self.heard, dict(reached)
        self.recent.begin(self.heard)
        for subscriber in [s for some in self.subscribers.values() for s in some]:
            name = subscriber.feed.projection.name
            if before[name] != self.heard[name]:
                self.returning.look_up(Request(subscriber, before[name], self.heard[name]))

    def close(self) -> None:
        self.returning.close()


def of(subscriber: Subscriber) -> Pair:
    return subscriber.feed.projection.name, subscriber.workspace
