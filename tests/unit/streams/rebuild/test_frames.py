"""Kafka's record batches by the column: whatever wrote them, positions and values are those of aiokafka."""

from collections.abc import Sequence

import pytest
from aiokafka.record.default_records import DefaultRecordBatchBuilder
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from crm.errors import Broken, Malformed
from streams.rebuild.read.frames import batches, records
from streams.rebuild.read.kafka_source import offset_of, select_dense

WHERE = "crm.journal/3"
Headers = Sequence[tuple[str, bytes]]


def headers(position: int, *more: tuple[str, bytes]) -> Headers:
    first = [("ce_id", b"id"), ("ce_type", b"DealOpened"), ("ce_source", b""), ("content-type", b"application/avro")]
    return [*first, ("position", str(position).encode()), *more]


def batch(given: Sequence[tuple[bytes, Headers]], base: int = 0, compression: int = 0) -> bytes:
    builder = DefaultRecordBatchBuilder(2, compression, 0, -1, -1, -1, 1 << 20)
    for offset, (value, fields) in enumerate(given):
        builder.append(offset, 1_760_000_000_000, b"stream", value, fields)
    made = bytearray(builder.build())
    made[:8] = base.to_bytes(8, "big")  # the broker writes it; the checksum is of what follows
    return bytes(made)


def read(data: bytes) -> tuple[list[int], list[bytes]]:
    positions, values = records(list(batches(data, WHERE)), WHERE)
    return positions.to_list(), values.to_list()


traces = st.sampled_from([(), (("traceparent", b"00-ab-cd-01"),), (("another", b""), ("traceparent", b"00"))])


@settings(max_examples=60)
@for_any(
    groups=st.lists(st.lists(st.tuples(st.binary(max_size=300), traces), min_size=1, max_size=8), max_size=4),
    compression=st.sampled_from([0, 1]),
)
def test_any_batches(groups: list[list[tuple[bytes, Headers]]], compression: int) -> None:
    """With traces or without, mixed, compressed or not."""
    data, position, expected = b"", 0, []
    for group in groups:
        records_ = [(value, headers(position + n, *more)) for n, (value, more) in enumerate(group)]
        data += batch(records_, position, compression)
        position += len(group)
        expected += [value for value, _ in group]
    assert read(data) == (list(range(position)), expected)


def test_what_the_answer_cut_off_comes_again() -> None:
    whole, cut = batch([(b"a", headers(0))]), batch([(b"b", headers(1))], 1)[:-1]
    assert read(whole + cut) == ([0], [b"a"])


def test_a_damaged_batch_is_refused() -> None:
    data = bytearray(batch([(b"abcdef", headers(0))], 17))
    data[-8] ^= 1
    with pytest.raises(Broken) as refused:
        list(batches(bytes(data), WHERE))
    assert str(refused.value) == "crm.journal/3: Kafka's record batch at offset 17 is damaged. Nothing was changed."


def test_a_record_without_a_position_is_none_of_the_journal() -> None:
    with pytest.raises(Malformed, match=r"record crm\.journal/3/5 has no position$"):
        read(batch([(b"a", [("other", b"")])], 5))


def test_repeats_are_dropped_and_a_gap_is_refused() -> None:
    given = [(bytes([p]), headers(p)) for p in (4, 5, 4, 5, 6)]
    found = list(batches(batch(given[:2], 10) + batch(given[2:], 12), WHERE))
    positions, _ = records(found, WHERE)
    assert select_dense(positions, 4, WHERE).to_list() == [0, 1, 4]
    assert offset_of(found, positions, 6) == 12
    with pytest.raises(Broken) as refused:
        select_dense(positions, 3, WHERE)
    assert str(refused.value) == (
        "crm.journal/3: position 4 follows 2. Nothing was changed. Restore what the journal lacks from an archive."
    )
