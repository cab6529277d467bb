"""How fresh the read models are: the projections' checkpoints, followed in memory, so that no request pays for it."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

import msgspec
import psycopg
import structlog

from api.errors import BadInput, StaleRead
from api.live.positions import BEGINNING, Places
from crm.topics import JOURNAL
from projections import PROJECTIONS

CHANNEL = "changes"  # on which project tells of its commits
IDLE, BUSY = 0.1, 0.02  # seconds between two looks: when nothing is told, and when much is
AWAITED = 0.003  # the same when somebody waits
PATIENCE = 5.0  # seconds that a query waits for its position
REMEMBERED = 600  # looks
# One look: how far each projection is, whether it stands still, and how far the journal is at the same moment. It is
# the table that the view shows that counts, which may be another version's.
LOOK = b"""
WITH asked AS (SELECT name, coalesce(s.consumer, o.consumer) AS consumer
  FROM unnest(%(names)s::text[], %(tables)s::text[]) AS o (name, consumer) LEFT JOIN core.shown AS s USING (name)),
at AS (SELECT name, json_agg(position + 1 ORDER BY partition) AS places, bool_or(failed IS NOT NULL) AS failed
  FROM asked JOIN core.checkpoint USING (consumer) WHERE topic = %(topic)s GROUP BY name)
SELECT json_build_object(
  'heads', (SELECT json_agg(next ORDER BY partition) FROM core.journal_head),
  'reached', (SELECT json_object_agg(name, places) FROM at),
  'failed', (SELECT json_agg(name) FROM at WHERE failed))::text"""
log = structlog.get_logger()


class Look(msgspec.Struct):
    """What Postgres says, by projection."""

    heads: tuple[int, ...] | None = None
    reached: dict[str, tuple[int, ...]] | None = None
    failed: tuple[str, ...] | None = None


class Fresh(NamedTuple):
    """Of some projections: what they surely hold, and since when they held all there was (`time.monotonic`)."""

    position: str
    at: float


class Freshness:
    """`position` is a lower bound of what an answer holds that is read from now on."""

    def __init__(self, dsn: str = "") -> None:
        self.dsn = dsn
        self.reached: dict[str, Places] = dict.fromkeys(PROJECTIONS, BEGINNING)
        self.failed: frozenset[str] = frozenset()
        self.complete_at = dict.fromkeys(PROJECTIONS, time.monotonic())
        self.heads: deque[tuple[float, Places]] = deque(maxlen=REMEMBERED)
        self.known: dict[Collection[str], Fresh] = {}
        self.moved = asyncio.Event()
        self.waiting = 0

    async def run(self) -> None:
        """Until cancelled; looks again as soon as Postgres is back. Meanwhile it only grows older."""
        while True:
            try:
                await self.follow()
            except (psycopg.Error, OSError) as error:
                log.warning("the freshness of the read models is not known; trying again", error=type(error).__name__)
            await asyncio.sleep(IDLE)

    async def follow(self) -> None:
        connection = await psycopg.AsyncConnection.connect(
            self.dsn, autocommit=True, connect_timeout=5, application_name="potik api freshness"
        )
        async with connection:
            await connection.execute(f"LISTEN {CHANNEL}".encode())
            tables = [projection.table for projection in PROJECTIONS.values()]
            asked = {"topic": JOURNAL.name, "names": list(PROJECTIONS), "tables": tables}
            while True:
                at = time.monotonic()
                (text,) = await (await connection.execute(LOOK, asked)).fetchone() or ("{}",)
                self.take(msgspec.json.decode(text, type=Look), at)
                # A commit without changed rows tells nothing: so it is looked for without being told, too.
                told = [n async for n in connection.notifies(timeout=AWAITED if self.waiting else IDLE, stop_after=1)]
                if told:
                    await asyncio.sleep(AWAITED if self.waiting else BUSY)

    def take(self, look: Look, at: float) -> None:
        """`at`: when it was asked."""
        self.heads.append((at, look.heads or BEGINNING))
        for name, places in (look.reached or {}).items():
            if len(places) < JOURNAL.partitions:
                continue  # its role has not been given all of them yet
            self.reached[name] = places
            for seen, heads in self.heads:
                if seen > self.complete_at[name] and all(map(int.__ge__, places, heads)):
                    self.complete_at[name] = seen
        self.failed = frozenset(look.failed or ())
        self.known.clear()
        moved, self.moved = self.moved, asyncio.Event()
        moved.set()

    def of(self, projections: Collection[str]) -> Fresh:
        """Of these, which must not change; of all when there are none."""
        if found := self.known.get(projections):
            return found
        names = projections or PROJECTIONS
        places = tuple(map(min, *(self.reached[name] for name in names), BEGINNING_OF_NONE))
        fresh = Fresh(written(places), min(self.complete_at[name] for name in names))
        self.known[projections] = fresh
        return fresh

    def told(self, projections: Collection[str]) -> bytes:
        """As JSON, for `extensions.freshness`: the position, and for how long it may have been behind."""
        fresh = self.of(projections)
        return b'{"position":"%s","lagMs":%d}' % (fresh.position.encode(), (time.monotonic() - fresh.at) * 1000)

    async def wait(self, position: str, projections: Collection[str], patience: float = PATIENCE) -> None:
        """Until these projections hold what was written up to there. Raises StaleRead, BadInput."""
        wanted = read(position)
        names = projections or PROJECTIONS
        self.waiting += 1
        try:
            async with asyncio.timeout(patience):
                while any(self.reached[name][n] < next for name in names for n, next in wanted.items()):
                    if still := sorted(self.failed.intersection(names)):
                        raise StaleRead(f"The projection {still[0]} stands still, so it will not get there. Tell us.")
                    await self.moved.wait()
        except TimeoutError:
            raise StaleRead(
                f"What was written up to {position[:100]} did not arrive within {patience:g} s. Nothing was read; "
                "ask again, or without a position."
            ) from None
        finally:
            self.waiting -= 1


BEGINNING_OF_NONE: Places = (2**63,) * JOURNAL.partitions  # so that the least of one projection can be taken too


def written(places: Places) -> str:
    return ",".join(f"{partition}:{next}" for partition, next in enumerate(places))


def read(position: str) -> Mapping[int, int]:
    """Raises BadInput."""
    wanted: dict[int, int] = {}
    for part in position.split(",") if len(position) <= 1_000 else [""]:
        partition, _, next = part.strip().partition(":")
        known: Any = partition.isdecimal() and partition.isascii() and next.isdecimal() and next.isascii()
        if not known or not int(partition[:9]) < JOURNAL.partitions or len(next) > 18:
            raise BadInput("This is no position. Give one that a mutation returned, such as 3:45,7:12.")
        wanted[int(partition[:9])] = int(next)
    return wanted
