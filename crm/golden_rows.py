"""What a fold makes of the golden records: a projection that gives other rows under the same version has changed.

The golden records of every shape that it handles are folded twice over, as one stream of one card: ids of one name are
one id, and each event is a moment later than the one before.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL, uuid5

import msgspec
from msgspec.structs import replace

from crm.codec import RECORDS, REGISTERED, decode
from crm.envelope import Event
from crm.golden import MOMENT
from crm.projection import Projection
from crm.registry import golden_file

TOLD = 3  # columns that are named


class Gold(NamedTuple):
    """`rows` is JSON text by key; `shapes` are the schema ids that it was made of."""

    shapes: list[int]
    handles: list[str]
    rows: str


def gold(projection: Projection[Any], shapes: Sequence[int] | None = None) -> Gold:
    """Of all shapes published by now, or only of these."""
    names = sorted(kind.__name__ for kind in projection.handles)
    wanted = [e.id for e in REGISTERED if e.name in names and (shapes is None or e.id in shapes)]
    rows: dict[str, Any] = {}
    for event in stream(wanted):
        key = projection.key_of(event)
        try:
            rows[key] = projection.fold(rows.get(key), event)
        except Exception as error:  # what it does with strange values is a part of what it is
            rows[f"{key} {event.meta.id}"] = repr(error)
    told = {key: msgspec.to_builtins(row) for key, row in sorted(rows.items())}
    return Gold(wanted, names, json.dumps(told, ensure_ascii=False))


def stream(shapes: Sequence[int]) -> Iterator[Event]:
    entries = [entry for entry in REGISTERED if entry.id in shapes]
    count = 0
    for _ in range(2):
        for entry in entries:
            for kind in ("full", "least"):
                event: Event = decode(bytes.fromhex(json.loads(golden_file(entry).read_text())[kind]["hex"]))
                count += 1
                yield alike(event, count, f"{entry.id} {kind}")


def alike(event: Event, count: int, name: str) -> Event:
    """The event as one of the stream's."""
    kind: Any = RECORDS[type(event).__name__]
    ids = {f.name: str(uuid5(NAMESPACE_URL, f.name)) for f in msgspec.structs.fields(kind) if f.name.endswith("_id")}
    meta = replace(
        event.meta,
        id=str(uuid5(NAMESPACE_URL, f"{name} {count}")),
        workspace=str(uuid5(NAMESPACE_URL, "workspace")),
        occurred_at=MOMENT + count,
        recorded_at=MOMENT + count,
    )
    return replace(event, meta=meta, **ids)


def changed(projection: Projection[Any], kept: Gold) -> str:
    """A sentence when this version does not give what it gave; empty otherwise."""
    now = gold(projection, kept.shapes)
    if now.handles != kept.handles:
        what = "it folds " + ", ".join(sorted({*now.handles} ^ {*kept.handles})) + " otherwise than before"
    elif now.shapes != kept.shapes or now.rows == kept.rows:
        return ""
    else:
        what = f"the golden stream's rows differ{differing(json.loads(kept.rows), json.loads(now.rows))}"
    return (
        f"Projection {projection.name} has changed and its version is still {projection.version}: {what}. "
        "Nothing was changed. Raise its version: the new table is filled from the journal."
    )


def differing(before: dict[str, Any], now: dict[str, Any]) -> str:
    columns = {
        name
        for key in before.keys() | now.keys()
        for was, is_ in [(before.get(key), now.get(key))]
        if was != is_
        for name in (was.keys() | is_.keys() if isinstance(was, dict) and isinstance(is_, dict) else ())
        if was.get(name) != is_.get(name)  # type: ignore[union-attr]  # both are dicts then
    }
    return f" in {', '.join(sorted(columns)[:TOLD])}" if columns else ""
