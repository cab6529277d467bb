"""The freshness of the read models: checkpoints of the projections, followed in memory so that requests do not wait."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog

from api.errors import BadInput, StaleRead
from api.live.positions import BEGINNING, Positions
from crm.adapters.postgres.listener import Listener
from crm.topics import JOURNAL
from projections import PROJECTIONS

CHANNEL = "changes"  # on which the project role announces its commits
IDLE, BUSY = 0.1, 0.02  # seconds between two polls: without and with notifications
ASLEEP, RECENT = 1.0, 10.0  # seconds between two polls, whatever is committed, without a request for this long
AWAITED = 0.003  # the same while a query waits
PATIENCE = 5.0  # seconds that a query waits for its position
REMEMBERED = 600  # polls
# One poll: the position of each projection, whether it halted, and the head of the journal at the same moment. What
# counts is the table behind the read view, which may belong to another version. While no transaction has ended since
# the last poll, all is as it was, and nothing is read.
POLL = f"""
WITH wanted AS (SELECT name, coalesce(s.consumer, o.consumer) AS consumer
  FROM (VALUES {", ".join(f"('{p.name}', '{p.table}')" for p in PROJECTIONS.values())}) AS o (name, consumer)
  LEFT JOIN core.shown AS s USING (name)),
at AS (SELECT name, json_agg(position + 1 ORDER BY partition) AS positions, bool_or(failed IS NOT NULL) AS failed
  FROM wanted JOIN core.checkpoint USING (consumer) WHERE topic = '{JOURNAL.name}' GROUP BY name)
SELECT pg_current_snapshot()::text, CASE WHEN pg_current_snapshot()::text <> %s THEN json_build_object(
  'heads', (SELECT json_agg(next ORDER BY partition) FROM core.journal_head),
  'reached', (SELECT json_object_agg(name, positions) FROM at),
  'failed', (SELECT json_agg(name) FROM at WHERE failed))::text END""".encode()
log = structlog.get_logger()


class Poll(msgspec.Struct):
    """The result of one poll, by projection."""

    heads: tuple[int, ...] | None = None
    reached: dict[str, tuple[int, ...]] | None = None
    failed: tuple[str, ...] | None = None


class Fresh(NamedTuple):
    """The freshness of some projections: a position that they have passed, and since when they were complete.

    `at` is a reading of `time.monotonic`.
    """

    position: str
    at: float


class Freshness:
    """Follows the checkpoints. A position is a lower bound for every answer that is read from now on."""

    def __init__(self, dsn: str = "") -> None:
        self.dsn = dsn
        self.reached: dict[str, Positions] = dict.fromkeys(PROJECTIONS, BEGINNING)
        self.failed: frozenset[str] = frozenset()
        self.complete_at = dict.fromkeys(PROJECTIONS, time.monotonic())
        self.heads: deque[tuple[float, Positions]] = deque(maxlen=REMEMBERED)
        self.known: dict[Collection[str], Fresh] = {}
        self.moved = asyncio.Event()
        self.waiting = 0
        self.last_request = time.monotonic()
        self.listener: Listener | None = None

    async def run(self) -> None:
        """Polls until cancelled, and again as soon as Postgres is back. Meanwhile the reported lag grows."""
        while True:
            try:
                await self.follow()
            except (psycopg.Error, OSError) as error:
                log.warning("the freshness of the read models is unknown; retrying", error=type(error).__name__)
            await asyncio.sleep(IDLE)

    async def follow(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, connect_timeout=5, application_name="potik api freshness"
        )
        async with connection:
            listener = self.listener = await Listener(connection).listen(CHANNEL)
            seen, poll = "", Poll()
            while True:
                at = time.monotonic()
                ((seen, text),) = await (await connection.execute(POLL, [seen])).fetchall()
                poll = msgspec.json.decode(text, type=Poll) if text else poll
                self.take(poll, at)
                # A commit without changed rows sends no notification, so polling goes on without one too.
                if not self.waiting and time.monotonic() - self.last_request >= RECENT:
                    await listener.deaf(ASLEEP)  # nobody asks: commits need not be followed one by one
                elif await listener.wait(AWAITED if self.waiting else IDLE):
                    await asyncio.sleep(AWAITED if self.waiting else BUSY)

    def note_question(self, now: float) -> None:
        """Wakes the poller if it sleeps."""
        if now - self.last_request >= RECENT and self.listener:
            self.listener.interrupt()
        self.last_request = now

    def take(self, poll: Poll, at: float) -> None:
        """Takes the result of a poll that was sent at `at`."""
        self.heads.append((at, poll.heads or BEGINNING))
        for name, positions in (poll.reached or {}).items():
            if len(positions) < JOURNAL.partitions:
                continue  # its role has not been assigned all partitions yet
            self.reached[name] = positions
            for seen, heads in self.heads:
                if seen > self.complete_at[name] and all(map(int.__ge__, positions, heads)):
                    self.complete_at[name] = seen
        self.failed = frozenset(poll.failed or ())
        while self.heads and self.heads[0][0] <= min(self.complete_at.values()):
            self.heads.popleft()  # all projections are known to have been complete then
        self.known.clear()
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    def of(self, projections: Collection[str]) -> Fresh:
        """Returns the freshness of these projections, or of all when there are none. Results are cached by the set."""
        if found := self.known.get(projections):
            return found
        names = projections or PROJECTIONS
        positions = tuple(map(min, *(self.reached[name] for name in names), BEYOND_ALL))
        fresh = Fresh(position_text(positions), min(self.complete_at[name] for name in names))
        self.known[projections] = fresh
        return fresh

    def json(self, projections: Collection[str]) -> bytes:
        """Returns `extensions.freshness` as JSON: the position, and the most milliseconds that it may lag behind."""
        fresh, now = self.of(projections), time.monotonic()
        self.note_question(now)
        return b'{"position":"%s","lagMs":%d}' % (fresh.position.encode(), (now - fresh.at) * 1000)

    async def wait(self, position: str, projections: Collection[str], patience: float = PATIENCE) -> None:
        """Waits until these projections have passed the position. Raises StaleRead or BadInput."""
        wanted = parse_position(position)
        names = projections or PROJECTIONS
        self.note_question(time.monotonic())
        self.waiting += 1
        try:
            async with asyncio.timeout(patience):
                while any(self.reached[name][n] < next for name in names for n, next in wanted.items()):
                    if halted := sorted(self.failed.intersection(names)):
                        raise StaleRead(
                            f"The projection {halted[0]} has halted, so it cannot reach this position. "
                            "Nothing was read. Report this to the operator, or ask without a position."
                        )
                    await self.moved.wait()
        except TimeoutError:
            raise StaleRead(
                f"The read models did not reach {position[:100]} within {patience:g} s. Nothing was read; "
                "try again, or ask without a position."
            ) from None
        finally:
            self.waiting -= 1


BEYOND_ALL: Positions = (2**63,) * JOURNAL.partitions  # so that `min` also works for one projection


def position_text(positions: Positions) -> str:
    return ",".join(f"{partition}:{next}" for partition, next in enumerate(positions))


def parse_position(position: str) -> Mapping[int, int]:
    """Returns the next position by partition. Raises BadInput."""
    wanted: dict[int, int] = {}
    for part in position.split(",") if len(position) <= 1_000 else [""]:
        partition, _, next = part.strip().partition(":")
        known: Any = partition.isdecimal() and partition.isascii() and next.isdecimal() and next.isascii()
        if not known or not int(partition[:9]) < JOURNAL.partitions or len(next) > 18:
            raise BadInput("This is not a position. Use one that a mutation returned, such as 3:45,7:12.")
        wanted[int(partition[:9])] = int(next)
    return wanted
