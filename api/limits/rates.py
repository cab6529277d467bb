"""Rate limits: a token bucket of points for each access token, kept in the memory of this process.

Several API processes have a bucket each, so the limit of a token that uses all of them is that many times higher.
"""

import time
from collections.abc import Callable
from math import ceil

from api.http.refusal import Header, Refusal

REMEMBERED = 10_000  # buckets; full ones are dropped first


class Rates:
    """Allows each token `points` a minute, 0 for no limit. An operation takes its cost, an invalid document a few."""

    def __init__(self, points: int = 0, clock: Callable[[], float] = time.monotonic) -> None:
        self.points, self.per_second, self.clock = points, points / 60, clock
        self.buckets: dict[str, tuple[float, float]] = {}  # points left, at that moment

    def left(self, token: str) -> float:
        """Returns the points that the token has now."""
        left, at = self.buckets.get(token, (float(self.points), 0.0))
        return min(float(self.points), left + (self.clock() - at) * self.per_second)

    def check(self, token: str) -> None:
        """Checks the bucket before a document is parsed. Raises Refusal when it is empty."""
        if self.points and self.left(token) < 1:
            raise self.refusal(token, 1)

    def take(self, token: str, points: int) -> None:
        """Takes points. Raises Refusal, and takes none, when too few are left."""
        if self.points and self.left(token) < min(points, self.points):
            raise self.refusal(token, points)
        self.charge(token, points)

    def charge(self, token: str, points: int) -> None:
        if not self.points:
            return
        if token not in self.buckets and len(self.buckets) >= REMEMBERED:
            self.forget()
        self.buckets[token] = max(self.left(token) - points, 0.0), self.clock()

    def forget(self) -> None:
        """Drops the full buckets, or else the one that was used longest ago."""
        full = [token for token in self.buckets if self.left(token) >= self.points]
        for token in full or [min(self.buckets, key=lambda token: self.buckets[token][1])]:
            del self.buckets[token]

    def refusal(self, token: str, points: int) -> Refusal:
        wait = max(ceil((min(points, self.points) - self.left(token)) / self.per_second), 1)
        message = (
            f"This costs {points} points; this token has {int(self.left(token))} of {self.points} a minute left. "
            f"Nothing was read or changed. Try again in {wait} s."
        )
        return Refusal(429, "RATE_LIMITED", message, (b"retry-after", str(wait).encode()), *self.headers(token))

    def headers(self, token: str) -> tuple[Header, ...]:
        """Returns the RateLimit headers; reset is the seconds until the bucket is full."""
        if not self.points:
            return ()
        left = self.left(token)
        reset = ceil((self.points - left) / self.per_second)
        return (
            (b"ratelimit-limit", str(self.points).encode()),
            (b"ratelimit-remaining", str(int(left)).encode()),
            (b"ratelimit-reset", str(reset).encode()),
        )
