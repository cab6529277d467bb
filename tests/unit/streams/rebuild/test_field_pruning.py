"""Which fields a fold reads: what is left out changes no row, and a field that slipped through raises."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from crm.contract.codec import encode
from crm.contract.registry import registered
from crm.envelope import Row
from crm.events import ContactCreated, DealStageMoved
from crm.golden_rows import stream
from crm.projection import Projection
from projections import PROJECTIONS
from projections.contact import ContactRow
from streams.rebuild.fold.decoder import Decoder
from streams.rebuild.fold.field_pruning import UNREAD, UnreadField, fields_read, names_read
from streams.rebuild.fold.fold import Fold
from streams.rebuild.read.source import Chunk
from streams.rebuild.write.sink import RowBatch


class Kept:
    """A sink that keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[Any] = []

    def write(self, rows: RowBatch) -> None:
        self.rows += rows

    def finish(self) -> None:
        pass


def folded(projection: Projection[Any], names: Any) -> list[tuple[str, Row]]:
    ids = [entry.id for entry in registered() if entry.name in {kind.__name__ for kind in projection.handles}]
    values = [encode(event) for event in stream(ids)]
    chunk = Chunk(0, 0, pl.Series(values, dtype=pl.Binary))
    sink: Any = Kept()
    fold = Fold(projection, sink)
    fold.take(chunk, list(Decoder(set(projection.handles), names).decode(chunk)))
    fold.finish()
    return sorted(sink.rows, key=lambda row: repr(row))


@pytest.mark.parametrize("name", PROJECTIONS)
def test_what_is_left_out_changes_no_row(name: str) -> None:
    projection = PROJECTIONS[name]
    assert folded(projection, fields_read([projection])) == folded(projection, None)


def test_of_a_stage_only_these() -> None:
    read = fields_read([PROJECTIONS["deal"]])[DealStageMoved]
    assert read >= {"deal_id", "stage", "meta.occurred_at", "meta.workspace"}
    assert not read & {"contact_id", "from_stage", "meta.cause", "meta.trace", "meta.recorded_at"}


def test_names_are_found_in_what_a_fold_calls() -> None:
    assert {"deal_id", "touched_at", "occurred_at"} <= names_read([PROJECTIONS["deal"].fold])
    assert "call_id" in names_read([PROJECTIONS["timeline"].fold])  # getattr(event, "call_id", None)


USES: list[Callable[[Any], object]] = [
    str,
    len,
    bool,
    hash,
    int,
    lambda v: v == 1,
    lambda v: f"{v}",
    lambda v: v.upper(),
]


@pytest.mark.parametrize("use", USES)
def test_a_field_that_was_not_decoded_cannot_be_used(use: Callable[[Any], object]) -> None:
    with pytest.raises(UnreadField):
        use(UNREAD)


def test_a_fold_that_hides_a_name_is_noticed() -> None:
    def fold(row: ContactRow | None, event: ContactCreated) -> ContactRow | None:
        hidden = "".join(("so", "urce"))
        return ContactRow(event.contact_id, getattr(event, hidden).upper(), "", (), (), (), None, 0, 0)  # type: ignore[call-arg,arg-type]  # never made

    lean = {ContactCreated: {"contact_id", "meta.workspace"}}
    hiding = replace(PROJECTIONS["contact"], fold=fold, handles=(ContactCreated,))
    with pytest.raises(UnreadField):
        folded(hiding, lean)


def test_a_key_that_older_shapes_lack_is_the_events_id() -> None:
    """Rules that were set before they had a key of their own stopped every rebuild of all projections at once."""
    read = fields_read(list(PROJECTIONS.values()))
    for projection in PROJECTIONS.values():
        for entry in registered():
            kinds = [kind for kind in projection.handles if kind.__name__ == entry.name]
            shape = {field["name"] for field in entry.schema["fields"]}
            for kind in kinds:
                assert read[kind] & (shape | {"meta.id"}) >= {projection.key if projection.key in shape else "meta.id"}
