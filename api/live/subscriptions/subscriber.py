"""One open subscription to changed rows: its waiting changes and its cursor."""

from collections.abc import Callable
from typing import Protocol

from api.errors import ApiError, SlowSubscriber
from api.live.positions import BEGINNING, Positions
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.resume_cursor import ChangePositions, ResumeCursor, covers
from api.live.subscriptions.row_filter import UNKNOWN, RowFilter, Values

WAITING = 10_000  # keys that may wait for one subscriber


class Client(Protocol):
    """The operation on a websocket or event stream to which a subscriber's results go."""

    @property
    def busy(self) -> bool:
        """Tells whether earlier messages are still unsent; `wake` is called once they are sent."""

    def check_token(self) -> None:
        """Raises Unauthorized when the token is no longer valid."""

    def send_result(self, body: bytes, cursor: str) -> None:
        """Sends the JSON of one result."""

    def fail(self, error: ApiError) -> None:
        """Sends an error as the last message."""


class Subscriber:
    """A subscription to one row, or to every row of the workspace when `key` is None.

    A batch is what waited at one moment, in key order. While it is being sent, `until` is the position up to which it
    is complete.
    """

    __slots__ = (
        "batch",
        "catching_up",
        "client",
        "cursor",
        "feed",
        "filter",
        "key",
        "leaving",
        "sent",
        "until",
        "waiting",
        "wake",
        "workspace",
    )

    def __init__(
        self,
        feed: Feed,
        workspace: str,
        key: str | None,
        client: Client,
        wake: "Callable[[Subscriber], None]",
        filter: RowFilter | None = None,
    ) -> None:
        self.feed, self.workspace, self.key, self.client = feed, workspace, key, client
        self.cursor = ResumeCursor(BEGINNING)  # until the hub sets it
        self.filter = filter
        self.leaving: set[str] = set()  # waiting rows that the client may have, so it must learn when they left
        self.waiting: dict[str, ChangePositions | None] = {}
        self.sent: dict[str, Positions] = {}  # rows sent recently, with the position that they reflected
        self.batch: list[str] = []  # in reverse order
        self.until = BEGINNING
        self.catching_up = 0  # running look-ups of missed changes: until they end the cursor does not move
        self.wake = wake

    def take(self, key: str, at: ChangePositions | None, before: Values | None = UNKNOWN) -> None:
        """Queues a changed row, with the positions of the change, or None when they are unknown.

        `before`: what filters compare, as it was; None when it did not change.
        """
        if at is not None and self.cursor.has(key, at):
            return
        if self.filter and before is not None and self.filter.matches(before):
            self.leaving.add(key)
        earlier = self.waiting.get(key)
        self.waiting[key] = {**earlier, **at} if earlier and at else at
        if len(self.waiting) > WAITING:
            what = f"More than {WAITING} changed rows are waiting to be sent. Nothing is lost"
            advice = "subscribe again with your last `cursor`, or read the list again."
            self.client.fail(SlowSubscriber(f"{what}: {advice}"))
        else:
            self.wake(self)

    @property
    def due(self) -> bool:
        return bool(self.batch or self.waiting)

    def next(self, limit: int, dispatched: Positions) -> list[str]:
        """Returns the keys to read now. `heard`: `take` got every change before these positions."""
        if not self.batch:
            sent = self.sent
            fresh = [k for k, at in self.waiting.items() if at is None or k not in sent or not covers(sent[k], at)]
            self.leaving.intersection_update(fresh)  # of the others the client has the state after this change
            self.batch, self.waiting = sorted(fresh, reverse=True), {}
            self.sent = {k: positions for k, positions in sent.items() if any(map(int.__gt__, positions, dispatched))}
            self.until = dispatched
            if not fresh and not self.catching_up:
                self.cursor = ResumeCursor(dispatched)
        return self.batch[: -limit - 1 : -1]

    def has_left(self, key: str, values: Values | None) -> bool | None:
        """Tells whether a row has left the filter; None when the client need not know of it.

        `values`: what it has now; None when it does not exist. A row that changed again meanwhile may still leave.
        """
        if self.filter is None:
            return False
        left = values is None or not self.filter.matches(values)
        reported = not left or key in self.leaving
        if key not in self.waiting:
            self.leaving.discard(key)
        return left if reported else None

    def mark_sent(self, key: str, seen: Positions, reported: bool = True) -> None:
        """Moves the cursor past a row that was read as of `seen`, whether or not the feed includes it.

        `reported`: the client has this state, so notices that come later of earlier changes are nothing new.
        """
        self.batch.pop()
        if reported:
            self.sent[key] = seen
        else:
            self.sent.pop(key, None)
        if self.key:
            self.cursor = ResumeCursor(tuple(map(max, seen, self.cursor.safe)))
        elif self.catching_up:
            pass
        elif self.batch:
            self.cursor = ResumeCursor(self.cursor.safe, self.until, key)
        else:
            self.cursor = ResumeCursor(self.until)

    def idle_cursor(self, dispatched: Positions) -> str | None:
        """Returns the current cursor, or None while changes are waiting."""
        if self.due or self.catching_up:
            return None
        self.cursor = ResumeCursor(tuple(map(max, dispatched, self.cursor.safe)))
        return self.cursor.encode(self.workspace, self.feed.projection.name)
