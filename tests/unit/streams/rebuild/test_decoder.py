"""Bulk decoding gives what crm.contract.codec gives, of every shape ever published, in whatever mixture."""

import json
from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from crm.contract.codec import RECORDS, REGISTERED, decode
from crm.contract.registry import golden_file
from crm.envelope import Event
from crm.errors import Malformed
from crm.events import ContactCreated, DealOpened
from streams.rebuild.fold.decoder import Decoder
from streams.rebuild.fold.field_pruning import UNREAD
from streams.rebuild.read.source import Chunk

GOLDEN = [
    bytes.fromhex(json.loads(golden_file(entry).read_text())[kind]["hex"])
    for entry in REGISTERED
    for kind in ("full", "least")
]
EVERY = Decoder(set(RECORDS.values()))


def chunk(values: Sequence[bytes], first: int = 0) -> Chunk:
    return Chunk(3, first, pl.Series(values, dtype=pl.Binary))


def decoded(decoder: Decoder, values: Sequence[bytes]) -> list[Event | None]:
    """By place."""
    found: list[Event | None] = [None] * len(values)
    for part in decoder.decode(chunk(values)):
        for place, event in zip(part.places, part.events, strict=True):
            found[place] = event
    return found


def test_every_shape_ever_published() -> None:
    assert decoded(EVERY, GOLDEN) == [decode(value) for value in GOLDEN]


@settings(max_examples=60)
@for_any(values=st.lists(st.sampled_from(GOLDEN), max_size=40))
def test_any_mixture_keeps_its_order(values: list[bytes]) -> None:
    assert decoded(EVERY, values) == [decode(value) for value in values]


def test_types_that_nobody_folds_are_passed_over() -> None:
    assert {type(event) for event in decoded(Decoder({DealOpened}), GOLDEN)} == {DealOpened, type(None)}


def test_only_the_fields_that_are_read_are_decoded() -> None:
    (value,) = [v for v in GOLDEN if isinstance(decode(v), ContactCreated)][:1]
    (event,) = decoded(Decoder({ContactCreated}, {ContactCreated: {"meta.occurred_at", "name"}}), [value])
    whole = decode(value)
    assert isinstance(event, ContactCreated)
    assert (event.name, event.meta.occurred_at) == (whole.name, whole.meta.occurred_at)
    assert event.source is UNREAD
    assert event.meta.id is UNREAD


def test_a_schema_that_is_not_known_is_counted() -> None:
    """A newer release wrote it; the project role reads past it too."""
    decoder = Decoder({DealOpened})
    strange = b"\0" + (9999).to_bytes(4, "big") + b"body"
    assert list(decoder.decode(chunk([GOLDEN[0], strange, strange], first=40))) == []
    (unknown,) = decoder.unknown.values()
    assert unknown == (9999, 2, 41)


@pytest.mark.parametrize("value", [b"", b"\0\0", b"\1\0\0\0\1rest"])
def test_what_is_not_framed_is_refused(value: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        list(EVERY.decode(chunk([GOLDEN[0], value], first=7)))
    assert str(refused.value) == (
        "The record at position 8 of journal partition 3 is not framed: it must begin with a zero byte and a schema "
        "id. Nothing was changed."
    )


@pytest.mark.parametrize("harm", [lambda v: v[:-3], lambda v: v + b"\0\0\0", lambda v: v[:5]])
def test_a_body_that_does_not_fit_is_refused(harm: object) -> None:
    (value,) = [v for v in GOLDEN if isinstance(decode(v), DealOpened)][:1]
    assert callable(harm)
    with pytest.raises(Malformed, match="A DealOpened of journal partition 3, among the 1 from position 0 on, does no"):
        list(EVERY.decode(chunk([harm(value)])))
