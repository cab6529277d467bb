"""The project role: events become rows. One Postgres transaction a batch: all projections' rows and checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection

from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres import history, read_models
from crm.adapters.postgres.notices import KEYS, NOTIFY
from crm.adapters.postgres.state import as_json
from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.step import Step
from crm.contract.codec import decode, type_of
from crm.envelope import Event, Row
from crm.projection import Projection
from crm.scalars import Id
from crm.settings import Settings
from crm.spelling import COLUMN
from crm.topics import JOURNAL
from projections import PROJECTIONS
from streams.cutover import watch as showing
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Record
from streams.runtime.loop import Consumption, Todo
from streams.runtime.role import run
from streams.runtime.sessions import REFUSED

NOWHERE: Mapping[int, int] = {}  # in the journal: the next position by partition
Key = tuple[Id, Id]  # workspace and the row's key

log = structlog.get_logger()


class Folding:
    """One projection's part of a batch."""

    def __init__(self, projection: Projection[Any], events: Iterable[Event], at: Mapping[int, int] = NOWHERE) -> None:
        self.projection, self.at = projection, at
        handles = set(projection.handles)
        self.events = [e for e in events if type(e) in handles]
        self.keys = {(e.meta.workspace, projection.key_of(e)): None for e in self.events}
        self.before: dict[Key, Row | None] = dict.fromkeys(self.keys)
        self.after: dict[Key, Row | None] = {}

    async def load(self, conn: AsyncConnection) -> Any:
        """Sends the query; `loaded` takes its answer."""
        wanted = [{"workspace": w, "key": k} for w, k in self.keys]
        return await conn.execute(read_models.load(self.projection), [as_json(wanted)])

    async def loaded(self, cursor: Any) -> None:
        for workspace, text in await cursor.fetchall():
            row = msgspec.json.decode(text, type=self.projection.row)
            self.before[workspace, getattr(row, self.projection.key)] = row

    def fold(self) -> None:
        """Raises what the fold raises, with the event and its position in a note."""
        rows = dict(self.before)
        fold, key_of = self.projection.fold, self.projection.key_of
        for event in self.events:
            key = event.meta.workspace, key_of(event)
            try:
                rows[key] = fold(rows[key], event)
            except Exception as error:
                error.add_note(f"{self.projection.name} at {type(event).__name__} {event.meta.id}")
                raise
        self.after = {key: row for key, row in rows.items() if row is not self.before[key] and row != self.before[key]}

    async def save(self, conn: AsyncConnection) -> None:
        kept = [self.as_saved(key, row) for key, row in sorted(self.after.items()) if row is not None]
        gone = [{"workspace": w, "key": k} for (w, k), row in self.after.items() if row is None]
        if kept:
            await conn.execute(read_models.save(self.projection), [f"[{','.join(kept)}]"])
        if gone:
            await conn.execute(read_models.delete(self.projection), [as_json(gone)])

    def as_saved(self, key: Key, row: Row) -> str:
        """The row as JSON text, its workspace first."""
        told: Any = row
        if names := self.projection.json_columns:
            told = msgspec.structs.asdict(row)
            for name in names:
                if told[name] is not None:
                    told[name] = {k: msgspec.Raw(v.encode()) for k, v in told[name].items()}
        sound = b""
        if self.projection.searched:
            sound = b'"%s":%s,' % (COLUMN.encode(), msgspec.json.encode(self.projection.sound(row)))
        return f'{{"workspace":"{key[0]}",{(sound + msgspec.json.encode(told)[1:]).decode()}'

    def changes(self) -> Iterable[str]:
        """Notifications: which rows of which workspace are new."""
        by_workspace: dict[Id, list[Id]] = {}
        for workspace, key in self.after:
            by_workspace.setdefault(workspace, []).append(key)
        for workspace, keys in by_workspace.items():
            for n in range(0, len(keys), KEYS):
                told = {"projection": self.projection.table, "workspace": workspace, "keys": keys[n : n + KEYS]}
                yield msgspec.json.encode({**told, "at": self.at}).decode()


class Project:
    """Handler of the journal: each projection version is a consumer with checkpoints of its own."""

    positioned = True
    durable = False

    def __init__(self, projections: Iterable[Projection[Any]], *, with_history: bool = False) -> None:
        self.by_consumer = {p.table: p for p in projections}
        self.consumers: Sequence[str] = (*self.by_consumer, *([history.CONSUMER] if with_history else []))
        self.handled = {kind for p in self.by_consumer.values() for kind in p.handles}

    async def handle(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        if tracing.spans:
            with tracing.spans.batch("project", steps_of(todo)):
                return await self.project(conn, todo, careful)
        return await self.project(conn, todo, careful)

    async def project(self, conn: AsyncConnection, todo: Todo, careful: bool) -> set[str]:
        events: dict[tuple[int, int], Event | None] = {}  # decoded once for all projections
        failed: set[str] = set()
        foldings = {
            consumer: Folding(self.by_consumer[consumer], self.decoded(records, events), behind(records))
            for consumer, records in todo.items()
            if consumer != history.CONSUMER
        }
        cursors = {c: await f.load(conn) for c, f in foldings.items() if f.projection.needs_row and f.keys}
        for consumer, cursor in cursors.items():
            await foldings[consumer].loaded(cursor)
        for consumer, folding in foldings.items():
            try:
                folding.fold()
                if careful:
                    async with conn.transaction():
                        await folding.save(conn)
            except Exception as error:
                if isinstance(error, psycopg.Error) and not isinstance(error, REFUSED):
                    raise  # the server's trouble, not this projection's
                failed.add(consumer)
                await self.stand_still(conn, consumer, error)
        done = [f for c, f in foldings.items() if c not in failed]
        if not careful:
            for folding in done:
                await folding.save(conn)
        if history.CONSUMER in todo:
            await history.keep(conn, todo[history.CONSUMER])
        if done:
            told = [message for folding in done for message in folding.changes()]
            await conn.execute(NOTIFY, [as_json([*told, reached(done)])])
        if debugging():
            tell(events, [folding.projection for folding in done])
        return failed

    def decoded(self, records: Sequence[Record], events: dict[tuple[int, int], Event | None]) -> Iterable[Event]:
        """In order; types that no projection folds are passed over undecoded."""
        for record in records:
            place = record.partition, record.offset
            if place not in events:
                events[place] = decode(record.value) if type_of(record.value) in self.handled else None
            if (event := events[place]) is not None:
                yield event

    async def stand_still(self, conn: AsyncConnection, consumer: str, error: Exception) -> None:
        """This projection alone, loudly; the others go on."""
        why = " ".join([repr(error), *getattr(error, "__notes__", [])])
        log.error("projection stands still; mend its fold and start the role again", projection=consumer, error=why)
        await checkpoints.fail(conn, consumer, why)


def behind(records: Sequence[Record]) -> dict[int, int]:
    """Of each partition the position behind the last of these."""
    last = {record.partition: record for record in records}
    return {partition: position_of(record) + 1 for partition, record in last.items()}


def reached(foldings: Sequence[Folding]) -> str:
    """The last notification of a transaction, also of one that changed no row: how far it took the projections."""
    moved = {repr(f.at): (f.at, [o.projection.table for o in foldings if o.at == f.at]) for f in foldings}
    return msgspec.json.encode({"moved": [(tables, at) for at, tables in moved.values()]}).decode()


def steps_of(todo: Todo) -> list[Step]:
    """For traces: each record once, whoever takes it."""
    headers = {(r.partition, r.offset): dict(r.headers) for records in todo.values() for r in records}
    return [
        Step(told.get("traceparent", b"").decode(), told.get("ce_type", b"").decode(), {"crm.offset": offset})
        for (_, offset), told in headers.items()
    ]


def tell(events: Mapping[tuple[int, int], Event | None], projections: Sequence[Projection[Any]]) -> None:
    """A line for each event. The transaction may still fail: then it is told again."""
    for (partition, offset), event in events.items():
        if event is not None:
            by = [p.name for p in projections if type(event) in p.handles]
            place = {"partition": partition, "offset": offset, "by": by}
            log.debug("projected", event_id=event.meta.id, fact=event.meta.cause, type=type(event).__name__, **place)


def consumption(settings: Settings) -> Consumption:
    views = partial(showing.follow, settings.database_url, PROJECTIONS.values(), settings.kafka_bootstrap)
    handler = Project(PROJECTIONS.values(), with_history=True)
    return Consumption("project", [JOURNAL.name], handler, settings, beside=views)


if __name__ == "__main__":
    run("project", consumption)
