"""What a fold makes of the golden records: a projection that gives other rows under the same version has changed.

The golden records of every shape that it handles are folded as events of one card (ids of one name are one id): all of
them twice over, then each pair, the second a moment later and a moment earlier than the first. What becomes of each
column at each step is kept as a digest.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec.structs import replace

from crm.contract.codec import RECORDS, REGISTERED, decode
from crm.contract.golden import MOMENT
from crm.contract.registry import golden_file
from crm.envelope import Event, Row
from crm.projection import Projection

DIGEST_VERSION = 1  # of making digests: those of another way are not compared, but made again
COLUMNS_NAMED = 3  # columns that are named
WORDS = {"kind": ("phone", "email"), "status": ("waiting", "done")}  # texts that folds tell apart, by field
WORDS_OF = {"MessageStatusChanged": {"status": ("failed", "read")}}  # where one event has words of its own
WORKSPACE = str(uuid5(NAMESPACE_URL, "workspace"))
Steps = Iterator[Event | None]
text_of = json.JSONEncoder(ensure_ascii=False).encode


class GoldenRows(NamedTuple):
    """`columns` has a digest by column; `shapes` are the schema ids that it was made of."""

    shapes: list[int]
    handles: list[str]
    columns: dict[str, str]


def golden_rows(projection: Projection[Any], shapes: Sequence[int] | None = None) -> GoldenRows:
    """Of all shapes published by now, or only of these."""
    handles = sorted(kind.__name__ for kind in projection.handles)
    wanted = [e.id for e in REGISTERED if e.name in handles and (shapes is None or e.id in shapes)]
    digests: dict[str, Any] = defaultdict(sha256)
    rows: dict[str, Any] = {}
    columns = {*(column.name for column in projection.columns), "(raises)"}
    for event in steps(projection, wanted):
        if event is None:
            rows.clear()
            continue
        key = projection.key_of(event)
        try:
            row = projection.fold(rows.get(key), event)
            values = {name: msgspec.to_builtins(getattr(row, name)) for name in names_of(row)}
            rows[key] = row
        except TimeoutError:  # somebody who waits has had enough
            raise
        except Exception as error:  # what it does with strange values is a part of what it is
            values = {"(raises)": type(error).__name__}
        for column in columns.union(values):
            digests[column].update(text_of(values.get(column)).encode() + b"\n")
    if projection.totals:
        digests["(totals)"].update(json.dumps([projection.totals, projection.summed]).encode())
    return GoldenRows(wanted, handles, {name: digests[name].hexdigest()[:16] for name in sorted(digests)})


def names_of(row: Row | None) -> Sequence[str]:
    """Raises AttributeError for what is no row."""
    return () if row is None else row.__struct_fields__


def steps(projection: Projection[Any], shapes: Sequence[int]) -> Steps:
    """Events in order; None where a new card begins."""
    every = [varied for event in golden_events(shapes) for varied in variants(event)]
    yield from numbered(every * 2)
    if not projection.needs_row:
        return
    born = str(uuid5(NAMESPACE_URL, projection.key))  # where a key is the id of the event that the row begins with
    later = str(uuid5(NAMESPACE_URL, "second"))
    seconds = [alike(event, after, later) for event in every for after in (1, -1)]
    for first in (alike(event, 0, born) for event in every):
        for second in seconds:
            yield None
            yield first
            yield second


def golden_events(shapes: Sequence[int]) -> list[Event]:
    entries = [entry for entry in REGISTERED if entry.id in shapes]
    records = [json.loads(golden_file(entry).read_text()) for entry in entries]
    return [decode(bytes.fromhex(one[kind]["hex"])) for one in records for kind in ("full", "least")]


def variants(event: Event) -> Iterator[Event]:
    yield event
    for name, words in WORDS_OF.get(type(event).__name__, WORDS).items():
        for word in words if hasattr(event, name) else ():
            yield replace(event, **{name: word})


def stream(shapes: Sequence[int]) -> Iterator[Event]:
    """The golden records alone, twice over."""
    return numbered(golden_events(shapes) * 2)


def numbered(events: Iterable[Event]) -> Iterator[Event]:
    """Each a moment later than the one before."""
    for count, event in enumerate(events):
        yield alike(event, count + 1, str(uuid5(NAMESPACE_URL, f"event {count}")))


def alike(event: Event, count: int, id: str) -> Event:
    """The event as one of the card's, so many microseconds after a moment."""
    at = MOMENT + count
    meta = replace(event.meta, id=id, workspace=WORKSPACE, occurred_at=at, recorded_at=at)
    return replace(event, meta=meta, **ids_of(type(event).__name__))


@cache
def ids_of(name: str) -> dict[str, str]:
    """One id for each field of a type that is an id."""
    fields = msgspec.structs.fields(RECORDS[name])
    return {field.name: str(uuid5(NAMESPACE_URL, field.name)) for field in fields if field.name.endswith("_id")}


def difference(projection: Projection[Any], kept: GoldenRows) -> str:
    """What this version does not give as it gave it, in a sentence; empty when it does."""
    now = golden_rows(projection, kept.shapes)
    if now.handles != kept.handles:
        what = "it folds " + ", ".join(sorted({*now.handles} ^ {*kept.handles})) + " otherwise than before"
    elif now.shapes != kept.shapes or now.columns == kept.columns:
        return ""
    else:
        names = {*now.columns} | {*kept.columns}
        other = sorted(name for name in names if now.columns.get(name) != kept.columns.get(name))
        what = f"the golden stream's rows differ in {', '.join(other[:COLUMNS_NAMED])}"
    return f"Projection {projection.name} has changed and its version is still {projection.version}: {what}."
