"""Limits on clients: connections, operations per connection, messages per second."""

import time
from collections import Counter
from dataclasses import dataclass

from api.errors import TooMuch
from crm.adapters.telemetry.metrics import CONNECTIONS, LET_GO


@dataclass(frozen=True)
class Limits:
    """The limits, each of one process."""

    connections: int = 15_000
    per_token: int = 12_000  # connections
    operations: int = 100  # open on one connection
    message_bytes: int = 65_536  # of one message from a client
    messages: float = 20.0  # a second, in the long run
    burst: int = 200  # messages at once
    init: float = 10.0  # seconds until connection_init
    patience: float = 30.0  # seconds for a message to go out
    ping: float = 20.0  # seconds between pings, and until one must be answered


LIMITS = Limits()


class ConnectionLimits:
    """Counts open connections: websockets and event streams."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.open = 0
        self.per_token: Counter[str] = Counter()

    def enter(self, kind: str) -> None:
        """Counts a new connection. Raises TooMuch."""
        if self.open >= self.limits.connections:
            LET_GO.labels("connections").inc()
            raise TooMuch(f"{self.open} connections are open, which is the limit. Try again later.")
        self.open += 1
        CONNECTIONS.labels(kind).inc()

    def leave(self, kind: str) -> None:
        self.open -= 1
        CONNECTIONS.labels(kind).dec()

    def enter_token(self, token: str) -> None:
        """Counts a connection of this token. Raises TooMuch."""
        if self.per_token[token] >= self.limits.per_token:
            LET_GO.labels("token").inc()
            raise TooMuch(f"{self.per_token[token]} connections of this token are open, which is the limit.")
        self.per_token[token] += 1

    def leave_token(self, token: str) -> None:
        self.per_token[token] -= 1
        if not self.per_token[token]:
            del self.per_token[token]


class Rate:
    """A token bucket for the messages of one client."""

    __slots__ = ("at", "left", "limits")

    def __init__(self, limits: Limits) -> None:
        self.limits, self.left, self.at = limits, float(limits.burst), time.monotonic()

    def allows(self) -> bool:
        now = time.monotonic()
        self.left = min(self.limits.burst, self.left + (now - self.at) * self.limits.messages)
        self.at = now
        self.left -= 1
        return self.left >= 0
