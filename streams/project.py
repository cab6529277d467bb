"""The project role: folds events into rows. Each batch is one Postgres transaction of rows and checkpoints."""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import msgspec
import psycopg
import structlog
from psycopg import AsyncConnection

from crm import indexes
from crm.adapters.kafka.journal_log import position_of
from crm.adapters.postgres import field_values, history, read_models, totals
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
from crm.topics import JOURNAL, journal_partition
from crm.totals import Tally
from projections import PROJECTIONS
from streams.cutover import watch
from streams.runtime import checkpoints
from streams.runtime.checkpoints import Record
from streams.runtime.loop import ConsumerLoop, NewRecords
from streams.runtime.role import run
from streams.runtime.sessions import REFUSED

Positions = Mapping[int, int]  # the next journal position by partition
NOWHERE: Positions = {}
PACE = 0.03  # seconds from one transaction of many events to the next: each costs as much as fifty events
Key = tuple[Id, Id]  # workspace and the row's key
Place = tuple[int, int]  # of a record: partition and offset

log = structlog.get_logger()


class ProjectionBatch:
    """One projection's share of a batch: loads its rows, folds the events, saves the rows that changed.

    `new`: nothing of the events was written before, as the checkpoints say.
    """

    def __init__(
        self, projection: Projection[Any], events: Iterable[Event], at: Positions = NOWHERE, new: bool = False
    ) -> None:
        self.projection, self.at = projection, at
        self.inserts = new and projection.new_rows_are_known
        handles, key_of = set(projection.handles), projection.key_of
        self.events = [((e.meta.workspace, key_of(e)), e) for e in events if type(e) in handles]
        self.keys = dict.fromkeys(key for key, _ in self.events)
        self.before: dict[Key, Row | None] = dict.fromkeys(self.keys)
        self.after: dict[Key, Row | None] = {}
        self.writes: list[tuple[str, Sequence[Any]]] = []  # statements and their parameters

    async def load(self, conn: AsyncConnection) -> Any:
        """Sends the query for the current rows. `receive` takes its cursor, so that queries can be pipelined."""
        return await conn.execute(read_models.load(self.projection), read_models.packed_keys(self.keys))

    async def receive(self, cursor: Any) -> None:
        """Reads the rows that `load` asked for."""
        read, key = read_models.reader(self.projection), attrgetter(self.projection.key)
        for workspace, text in await cursor.fetchall():
            row = read(text)
            self.before[workspace, key(row)] = row

    def fold(self) -> None:
        """Folds the events in order. Raises what the fold raises, with the event named in a note."""
        rows, fold = dict(self.before), self.projection.fold
        for key, event in self.events:
            try:
                rows[key] = fold(rows[key], event)
            except Exception as error:
                error.add_note(f"{self.projection.name} at {type(event).__name__} {event.meta.id}")
                raise
        self.after = {key: row for key, row in rows.items() if row is not self.before[key] and row != self.before[key]}
        self.pack()

    def pack(self) -> None:
        """Prepares what is to be written: the rows that changed, those that the fold removed, their custom fields,
        and the totals.

        Raises ValueError, with the column and the row in a note, when a value does not fit its column.
        """
        kept = [(key[0], row) for key, row in sorted(self.after.items()) if row is not None]
        gone = [key for key, row in self.after.items() if row is None]
        if kept:
            all_new = self.inserts and not any(self.before[key] for key, row in self.after.items() if row is not None)
            write = read_models.insert if all_new else read_models.save
            self.writes.append((write(self.projection), read_models.packed(self.projection, kept)))
        if gone:
            self.writes.append((read_models.delete(self.projection), read_models.packed_keys(gone)))
        if field_values.kept(self.projection) and (refielded := self.refielded()):
            if outdated := [key for key in refielded if not self.inserts or self.before.get(key)]:
                self.writes.append((field_values.remove(self.projection), read_models.packed_keys(outdated)))
            self.writes.append((field_values.add(self.projection), read_models.packed_keys(refielded)))
        if self.projection.totals and (changes := self.counted()):
            self.writes.append((totals.add(self.projection), totals.packed(self.projection, changes)))

    async def save(self, conn: AsyncConnection) -> None:
        """Writes what `fold` has prepared."""
        for statement, parameters in self.writes:
            await conn.execute(statement, parameters)

    def refielded(self) -> list[Key]:
        """Returns the keys of rows whose custom fields have changed, or the time by which these are read."""
        fields, time = indexes.custom_fields(self.projection), indexes.held_still(self.projection)

        def kept(row: Row | None) -> Any:
            found = getattr(row, fields, None)
            return (found, getattr(row, time)) if found else None

        return sorted(key for key, row in self.after.items() if kept(self.before.get(key)) != kept(row))

    def counted(self) -> list[tuple[Any, ...]]:
        """Returns what the totals lose and gain: each changed row as it was and as it is, added up."""
        tally, streams = Tally(self.projection), {key: event.meta.stream for key, event in self.events}
        for key, row in self.after.items():
            tally.change((key[0], journal_partition(streams[key])), self.before[key], row)
        return tally.changes()

    def changes(self) -> Iterable[str]:
        """Yields notifications: the keys of changed rows by workspace, and what filters compare as it was before."""
        if not self.after:
            return
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
        self.folded_by: dict[type[Event], list[str]] = {}
        for consumer, found in self.by_consumer.items():
            for kind in found.handles:
                self.folded_by.setdefault(kind, []).append(consumer)

    async def handle(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        if tracing.spans:
            with tracing.spans.batch("project", steps_of(todo)):
                return await self.project(conn, todo, isolate)
        return await self.project(conn, todo, isolate)

    async def project(self, conn: AsyncConnection, todo: NewRecords, isolate: bool) -> set[str]:
        batches, events = self.route(todo, new=not isolate)
        failed: set[str] = set()
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
            await history.keep(conn, todo[history.CONSUMER], new=not isolate)
        if done:
            reported = [notice for batch in done for notice in batch.changes()]
            await conn.execute(NOTIFY, [as_json([*reported, progress_notice(done)])])
        if debugging():
            log_events(events, [batch.projection for batch in done])
        return failed

    def route(
        self, todo: NewRecords, new: bool = False
    ) -> tuple[dict[str, ProjectionBatch], dict[Place, Event | None]]:
        """Decodes each record once and hands its event to the projections that fold it.

        Returns the batch of each projection, and the events by their place. Types that no projection folds stay None.
        """
        sharing: dict[int, list[str]] = {}  # consumers by their records: most have the same
        for consumer in todo.keys() & self.by_consumer.keys():
            sharing.setdefault(id(todo[consumer]), []).append(consumer)
        events: dict[Place, Event | None] = {}
        batches: dict[str, ProjectionBatch] = {}
        for consumers in sharing.values():
            records = todo[consumers[0]]
            mine: dict[str, list[Event]] = {consumer: [] for consumer in consumers}
            routes = {kind: [mine[c].append for c in by if c in mine] for kind, by in self.folded_by.items()}
            for record in records:
                place = record.partition, record.offset
                if place not in events:
                    events[place] = decode(record.value) if type_of(record.value) in routes else None
                if (event := events[place]) is not None:
                    for take in routes[type(event)]:
                        take(event)
            at = next_positions(records)
            batches |= {c: ProjectionBatch(self.by_consumer[c], mine[c], at, new) for c in consumers}
        return {consumer: batches[consumer] for consumer in todo if consumer in batches}, events

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
    return ConsumerLoop("project", [JOURNAL.name], handler, settings, background=views, pace=PACE)


if __name__ == "__main__":
    run("project", project_loop)
