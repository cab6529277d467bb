"""One open subscription to changed rows: what waits for it, and how far it was told."""

from collections.abc import Callable
from typing import Protocol

from api.errors import ApiError, SlowSubscriber
from api.live.positions import BEGINNING, Places
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.resume_cursor import At, Standing, covers

WAITING = 10_000  # keys that may wait for one subscriber


class Client(Protocol):
    """The operation on a websocket or an event stream that a subscriber stands for."""

    @property
    def busy(self) -> bool:
        """It has not taken what it was given before; `wake` is called once it has."""

    def check(self) -> None:
        """Raises Unauthorized when the token does not hold any more."""

    def tell(self, body: bytes, cursor: str) -> None:
        """The JSON of one result."""

    def fail(self, error: ApiError) -> None:
        """The last that it is told."""


class Subscriber:
    """`key` is None for one who wants every row of the workspace.

    A batch is what waited at one moment, in key order. While it goes out, `until` says up to where the batch is whole.
    """

    __slots__ = (
        "batch",
        "behind",
        "client",
        "feed",
        "key",
        "standing",
        "told",
        "until",
        "waiting",
        "wake",
        "workspace",
    )

    def __init__(
        self, feed: Feed, workspace: str, key: str | None, client: Client, wake: "Callable[[Subscriber], None]"
    ) -> None:
        self.feed, self.workspace, self.key, self.client = feed, workspace, key, client
        self.standing = Standing(BEGINNING)  # the hub knows better
        self.waiting: dict[str, At | None] = {}
        self.told: dict[str, Places] = {}  # rows told lately: up to where what they went through was in them
        self.batch: list[str] = []  # in reverse order
        self.until = BEGINNING
        self.behind = 0  # look-ups under way of what it missed: until then its cursor stays
        self.wake = wake

    def take(self, key: str, at: At | None) -> None:
        """A row changed there; None: somewhere."""
        if at is not None and self.standing.has(key, at):
            return
        before = self.waiting.get(key)
        self.waiting[key] = {**before, **at} if before and at else at
        if len(self.waiting) > WAITING:
            self.client.fail(
                SlowSubscriber(
                    f"More than {WAITING} changed rows waited for you. "
                    "Nothing is lost: subscribe again with your last `cursor`, or read the list again."
                )
            )
        else:
            self.wake(self)

    @property
    def due(self) -> bool:
        return bool(self.batch or self.waiting)

    def next(self, limit: int, heard: Places) -> list[str]:
        """The keys to read now. `heard`: all that happened before was given to `take`."""
        if not self.batch:
            told = self.told
            fresh = [k for k, at in self.waiting.items() if at is None or k not in told or not covers(told[k], at)]
            self.batch, self.waiting = sorted(fresh, reverse=True), {}
            self.told = {k: places for k, places in told.items() if any(map(int.__gt__, places, heard))}
            self.until = heard
            if not fresh and not self.behind:
                self.standing = Standing(heard)
        return self.batch[: -limit - 1 : -1]

    def passed(self, key: str, seen: Places) -> None:
        """The row was read as of `seen`, and is told now unless it is not wanted: the standing that goes with it."""
        self.batch.pop()
        self.told[key] = seen
        if self.key:
            self.standing = Standing(tuple(map(max, seen, self.standing.safe)))
        elif self.behind:
            pass
        elif self.batch:
            self.standing = Standing(self.standing.safe, self.until, key)
        else:
            self.standing = Standing(self.until)

    def quiet(self, heard: Places) -> str | None:
        """The cursor of now, when nothing waits."""
        if self.due or self.behind:
            return None
        self.standing = Standing(tuple(map(max, heard, self.standing.safe)))
        return self.standing.cursor(self.workspace, self.feed.projection.name)
