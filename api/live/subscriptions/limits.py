"""How much a client may take: connections, operations on each of them, messages a second."""

import time
from collections import Counter
from dataclasses import dataclass

from api.errors import TooMuch
from crm.adapters.telemetry.metrics import CONNECTIONS, LET_GO


@dataclass(frozen=True)
class Bounds:
    """The limits, each of one process."""

    connections: int = 15_000
    of_token: int = 12_000  # connections
    operations: int = 100  # open at the same time on one connection
    message_bytes: int = 65_536  # of one message from a client
    messages: float = 20.0  # a second, in the long run
    burst: int = 200  # messages at once
    init: float = 10.0  # seconds until connection_init
    patience: float = 30.0  # seconds for a message to go out
    ping: float = 20.0  # seconds between pings, and until one must be answered


BOUNDS = Bounds()


class Doors:
    """Counts connections, whether websockets or event streams."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.open = 0
        self.of_token: Counter[str] = Counter()

    def enter(self, kind: str) -> None:
        """Raises TooMuch."""
        if self.open >= self.bounds.connections:
            LET_GO.labels("connections").inc()
            raise TooMuch(f"{self.open} connections are open here, which is the limit. Try again later.")
        self.open += 1
        CONNECTIONS.labels(kind).inc()

    def leave(self, kind: str) -> None:
        self.open -= 1
        CONNECTIONS.labels(kind).dec()

    def known(self, token: str) -> None:
        """Raises TooMuch."""
        if self.of_token[token] >= self.bounds.of_token:
            LET_GO.labels("token").inc()
            raise TooMuch(f"{self.of_token[token]} connections of this token are open, which is the limit.")
        self.of_token[token] += 1

    def forget(self, token: str) -> None:
        self.of_token[token] -= 1
        if not self.of_token[token]:
            del self.of_token[token]


class Rate:
    """Of the messages of one client: a bucket that fills up again."""

    __slots__ = ("at", "bounds", "left")

    def __init__(self, bounds: Bounds) -> None:
        self.bounds, self.left, self.at = bounds, float(bounds.burst), time.monotonic()

    def allows(self) -> bool:
        now = time.monotonic()
        self.left = min(self.bounds.burst, self.left + (now - self.at) * self.bounds.messages)
        self.at = now
        self.left -= 1
        return self.left >= 0
