"""The project role: folds events into rows. Each batch is one Postgres transaction of rows and checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection

from crm import indexes, json_column
from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres import history, read_models, totals
from crm.adapters.postgres.notices import NOTIFY, ChangedRow, comparing, notices
from crm.adapters.postgres.state import as_json
from crm.adapters.telemetry import tracing
from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.step import Step
from crm.contract.codec import decode, type_of
from crm.envelope import Event, Row
from crm.projection import Projection
from crm.scalars import Id
from crm.settings import Settings
from crm.text.phonetics import COLUMN
from crm.topics import JOURNAL, journal_partition
from crm.totals import read_columns
from projections import PROJECTIONS
from streams.cutover import watch
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Record
from streams.runtime.loop import ConsumerLoop, NewRecords
from streams.runtime.role import run
from streams.runtime.sessions import REFUSED

Positions = Mapping[int, int]  # the next journal position by partition
NOWHERE: Positions = {}
Key = tuple[Id, Id]  # workspace and the row's key

log = structlog.get_logger()


class ProjectionBatch:
    """One projection's share of a batch: loads its rows, folds the events, saves the rows that changed."""

    def __init__(self, projection: Projection[Any], events: Iterable[Event], at: Positions = NOWHERE) -> None:
        self.projection, self.at = projection, at
        handles = set(projection.handles)
        self.events = [e for e in events if type(e) in handles]
        self.keys = {(e.meta.workspace, projection.key_of(e)): None for e in self.events}
        self.before: dict[Key, Row | None] = dict.fromkeys(self.keys)
        self.after: dict[Key, Row | None] = {}

    async def load(self, conn: AsyncConnection) -> Any:
        """Sends the query for the current rows. `receive` takes its cursor, so that queries can be pipelined."""
        wanted = [{"workspace": w, "key": k} for w, k in self.keys]
        return await conn.execute(read_models.load(self.projection), [as_json(wanted)])

    async def receive(self, cursor: Any) -> None:
        """Decodes the rows that `load` asked for."""
        for workspace, text in await cursor.fetchall():
            row = msgspec.json.decode(text, type=self.projection.row)
            self.before[workspace, getattr(row, self.projection.key)] = row

    def fold(self) -> None:
        """Folds the events in order. Raises what the fold raises, with the event named in a note."""
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
        self.check_json()

    def check_json(self) -> None:
        """Raises ValueError when the fold made a JSON column of texts that are no JSON. What it only kept is good."""
        if not (names := self.projection.json_columns):
            return
        for key, row in self.after.items():
            for name in names if row is not None else ():
                value = getattr(row, name)
                if value and value is not getattr(self.before[key], name, None):
                    try:
                        json_column.check(value)
                    except ValueError as error:
                        error.add_note(f"{self.projection.name}.{name} of row {key[1]}")
                        raise

    async def save(self, conn: AsyncConnection) -> None:
        """Writes the rows that changed and deletes those that the fold removed."""
        kept = [self.as_json(key, row) for key, row in sorted(self.after.items()) if row is not None]
        gone = [{"workspace": w, "key": k} for (w, k), row in self.after.items() if row is None]
        if kept:
            await conn.execute(read_models.save(self.projection), [f"[{','.join(kept)}]"])
        if gone:
            await conn.execute(read_models.delete(self.projection), [as_json(gone)])
        if self.projection.totals and (counted := self.counted()):
            await conn.execute(totals.add(self.projection), [as_json(counted)])

    def counted(self) -> list[dict[str, Any]]:
        """Returns what the totals lose and gain: each changed row as it was and as it is, where they depend on it."""
        names = [column.name for column in read_columns(self.projection)]
        streams = {(e.meta.workspace, self.projection.key_of(e)): e.meta.stream for e in self.events}
        found: list[dict[str, Any]] = []
        for key, row in self.after.items():
            sides = [
                (sign, {name: getattr(side, name) for name in names})
                for sign, side in ((-1, self.before[key]), (1, row))
                if side is not None
            ]
            if len(sides) == 2 and sides[0][1] == sides[1][1]:
                continue
            place = {"workspace": key[0], "partition": journal_partition(streams[key])}
            found += [{**place, "sign": sign, **values} for sign, values in sides]
        return found

    def as_json(self, key: Key, row: Row) -> str:
        """Returns the row as JSON text with its workspace first."""
        values: Any = row
        if names := self.projection.json_columns:
            values = msgspec.structs.asdict(row)
            for name in names:
                if values[name] is not None:
                    values[name] = {k: msgspec.Raw(v.encode()) for k, v in values[name].items()}
        phonetic = b""
        if self.projection.searched:
            phonetic = b'"%s":%s,' % (COLUMN.encode(), msgspec.json.encode(self.projection.phonetic_key(row)))
        return f'{{"workspace":"{key[0]}",{(phonetic + msgspec.json.encode(values)[1:]).decode()}'

    def changes(self) -> Iterable[str]:
        """Yields notifications: the keys of changed rows by workspace, and what filters compare as it was before."""
        changed_row = comparing(indexes.followed(self.projection))
        by_workspace: dict[Id, list[ChangedRow]] = {}
        for (workspace, key), row in self.after.items():
            by_workspace.setdefault(workspace, []).append(changed_row(key, self.before[workspace, key], row))
        for workspace, rows in by_workspace.items():
            yield from notices(self.projection.table, workspace, self.at, rows)


class Project:
    """Handler of the journal. Each projection version is a consumer with its own checkpoints."""

    positioned = True
    durable = False

    def __init__(self, projections: Iterable[Projection[Any]], *, with_history: bool = False) -> None:
        self.by_consumer = {p.table: p for p in projections}
        self.consumers: Sequence[str] = (*self.by_consumer, *([history.CONSUMER] if with_history else []))
        self.handled = {kind for p in self.by_consumer.values() for kind in p.handles}

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        if tracing.spans:
            with tracing.spans.batch("project", steps_of(todo)):
                return await self.project(conn, todo, isolate)
        return await self.project(conn, todo, isolate)

    async def project(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        events: dict[tuple[int, int], Event | None] = {}  # decoded once for all projections
        failed: set[str] = set()
        batches = {
            consumer: ProjectionBatch(
                self.by_consumer[consumer], self.decoded(records, events), next_positions(records)
            )
            for consumer, records in todo.items()
            if consumer != history.CONSUMER
        }
        cursors = {c: await f.load(conn) for c, f in batches.items() if f.projection.needs_row and f.keys}
        for consumer, cursor in cursors.items():
            await batches[consumer].receive(cursor)
        for consumer, batch in batches.items():
            try:
                batch.fold()
                if isolate:
                    async with conn.transaction():
                        await batch.save(conn)
            except Exception as error:
                if isinstance(error, psycopg.Error) and not isinstance(error, REFUSED):
                    raise  # the server's fault, not this projection's
                failed.add(consumer)
                await self.halt(conn, consumer, error)
        done = [f for c, f in batches.items() if c not in failed]
        if not isolate:
            for batch in done:
                await batch.save(conn)
        if history.CONSUMER in todo:
            await history.keep(conn, todo[history.CONSUMER])
        if done:
            reported = [notice for batch in done for notice in batch.changes()]
            await conn.execute(NOTIFY, [as_json([*reported, progress_notice(done)])])
        if debugging():
            log_events(events, [batch.projection for batch in done])
        return failed

    def decoded(self, records: Sequence[Record], events: dict[tuple[int, int], Event | None]) -> Iterable[Event]:
        """Yields the events in order, each decoded once. Skips types that no projection folds without decoding them."""
        for record in records:
            at = record.partition, record.offset
            if at not in events:
                events[at] = decode(record.value) if type_of(record.value) in self.handled else None
            if (event := events[at]) is not None:
                yield event

    async def halt(self, conn: AsyncConnection, consumer: str, error: Exception) -> None:
        """Halts this projection only and logs why; the others continue."""
        why = " ".join([repr(error), *getattr(error, "__notes__", [])])
        log.error("projection halted; fix its fold and restart the role", projection=consumer, error=why)
        await checkpoints.halt(conn, consumer, why)


def next_positions(records: Sequence[Record]) -> dict[int, int]:
    """Returns the position after the last of these records, by partition."""
    last = {record.partition: record for record in records}
    return {partition: position_of(record) + 1 for partition, record in last.items()}


def progress_notice(batches: Sequence[ProjectionBatch]) -> str:
    """Returns the last notification of a transaction, even if no row changed: the new position of each projection."""
    moved = {repr(b.at): (b.at, [other.projection.table for other in batches if other.at == b.at]) for b in batches}
    return msgspec.json.encode({"moved": [(tables, at) for at, tables in moved.values()]}).decode()


def steps_of(todo: NewRecords) -> list[Step]:
    """Returns the trace steps: each record once, whatever the number of its consumers."""
    headers = {(r.partition, r.offset): dict(r.headers) for records in todo.values() for r in records}
    return [
        Step(by_name.get("traceparent", b"").decode(), by_name.get("ce_type", b"").decode(), {"crm.offset": offset})
        for (_, offset), by_name in headers.items()
    ]


def log_events(events: Mapping[tuple[int, int], Event | None], projections: Sequence[Projection[Any]]) -> None:
    """Logs a line for each event. When the transaction fails afterwards, the retry logs it again."""
    for (partition, offset), event in events.items():
        if event is not None:
            by = [p.name for p in projections if type(event) in p.handles]
            source = {"partition": partition, "offset": offset, "by": by}
            log.debug("projected", event_id=event.meta.id, fact=event.meta.cause, type=type(event).__name__, **source)


def project_loop(settings: Settings) -> ConsumerLoop:
    views = partial(watch.cut_over_when_ready, settings.database_url, PROJECTIONS.values(), settings.kafka_bootstrap)
    handler = Project(PROJECTIONS.values(), with_history=True)
    return ConsumerLoop("project", [JOURNAL.name], handler, settings, background=views)


if __name__ == "__main__":
    run("project", project_loop)
