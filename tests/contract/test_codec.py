"""Every record type survives the wire, other Avro readers agree, and a broken record is refused with a sentence."""

import io
import json
from functools import cache
from typing import Any

import fastavro
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.contract.codec import RECORDS, decode, encode, type_of
from crm.contract.compiled import numeral, reader
from crm.contract.generate import SCHEMAS
from crm.contract.registry import Registered, bare, definitions, golden_file, registered
from crm.errors import Broken, Malformed
from crm.events import DealStageMoved, DeliveryNoted
from crm.facts import FormSubmitted
from crm.scalars import Id, Micros
from crm.shared import Meta, Raw
from tests.contract.conftest import field, record

CURRENT = {entry.name: entry for entry in registered() if entry.current}
ID = Id("5d9b2f5e-6c1e-4f0b-8f4c-2f1f0f3a9b11")
META = Meta(ID, ID, ID, Micros(1), Micros(-1), "c1", ID)
MOVED = DealStageMoved(META, ID, ID, "new", "paid", "оплачено")
FRAME = encode(MOVED)
NOTED = DeliveryNoted(META, "shop", "deal", "known")  # ends with a text
MOVED_ID = CURRENT["DealStageMoved"].id
TEXT = st.text(max_size=80)  # any that UTF-8 can hold, NUL included
SCALARS: dict[str, st.SearchStrategy[Any]] = {
    "string": TEXT,
    "long": st.integers(-(2**63), 2**63 - 1),
    "int": st.integers(-(2**31), 2**31 - 1),
    "boolean": st.booleans(),
    "bytes": st.binary(max_size=200),
}


def values(avro: Any, named: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Any value of a schema, as fastavro takes it."""
    if isinstance(avro, str) and avro.removeprefix("crm.") in named:
        avro = named[avro.removeprefix("crm.")]
    match avro:
        case [*branches]:
            return st.one_of([st.none() if branch == "null" else values(branch, named) for branch in branches])
        case {"type": "record", "fields": fields}:
            return st.fixed_dictionaries({field["name"]: values(field["type"], named) for field in fields})
        case {"type": "array", "items": items}:
            return st.lists(values(items, named), max_size=3)
        case {"type": "map", "values": inner}:
            return st.dictionaries(TEXT, values(inner, named), max_size=3)
        case {"logicalType": "uuid"}:
            return st.uuids().map(str)
        case {"type": kind}:
            return SCALARS[kind]
    return SCALARS[avro]


@cache
def values_of(name: str) -> st.SearchStrategy[Any]:
    schema = CURRENT[name].schema
    return values(schema, definitions(schema))


def stranger(entry: Registered, frame: bytes) -> Any:
    """What somebody reads who has nothing but registry.json and an Avro library."""
    assert frame[:5] == b"\0" + entry.id.to_bytes(4, "big")
    body = io.BytesIO(frame[5:])
    value = fastavro.schemaless_reader(body, bare(entry.schema))
    assert body.read() == b""
    return value


@pytest.mark.parametrize("name", RECORDS)
@settings(max_examples=min(40, settings.default.max_examples))
@given(data=st.data())
def test_any_record_survives_and_a_stranger_reads_and_writes_the_same(name: str, data: st.DataObject) -> None:
    entry = CURRENT[name]
    value = data.draw(values_of(name))
    record = msgspec.convert(value, RECORDS[name])
    frame = encode(record)
    assert decode(frame) == record
    assert stranger(entry, frame) == value
    body = io.BytesIO()
    fastavro.schemaless_writer(body, bare(entry.schema), value)
    assert body.getvalue() == frame[5:]


@pytest.mark.parametrize("entry", registered(), ids=lambda entry: f"{entry.id}_{entry.name}")
def test_every_golden_record_ever_published_is_read(entry: Registered) -> None:
    golden = json.loads(golden_file(entry).read_text())
    assert (golden["id"], golden["name"]) == (entry.id, entry.name)
    for kind in ("full", "least"):
        frame, value = bytes.fromhex(golden[kind]["hex"]), golden[kind]["value"]
        record = decode(frame)
        assert type(record) is RECORDS[entry.name]
        plain = msgspec.to_builtins(record, builtin_types=(bytes,))
        read = json.loads(json.dumps(plain, default=lambda raw: raw.decode("latin-1")))
        if entry.current:
            assert read == value
            assert encode(record) == frame
        else:  # fields added since have their defaults
            assert {field: read[field] for field in value} == value


def test_no_golden_record_lies_there_without_its_shape() -> None:
    assert sorted(file.name for file in (SCHEMAS / "golden").iterdir()) == sorted(
        golden_file(entry).name for entry in registered()
    )


def test_a_long_body_and_many_items_survive() -> None:
    raw = Raw("", {f"h{n}": "в" * n for n in range(100)}, "", b"\xff" * 100_000)
    fact = FormSubmitted(META, raw, emails=tuple(f"{n}@example.com" for n in range(10_000)))
    assert decode(encode(fact)) == fact


def test_blocks_with_a_size_as_other_writers_make_them_are_read() -> None:
    fact = FormSubmitted(META, Raw("", {}, "", b""), emails=("a", "b"))
    frame = encode(fact)
    plain, sized = b"\x04\x02a\x02b\0", b"\x03\x08\x02a\x02b\0"
    assert frame.count(plain) == 1
    assert decode(frame.replace(plain, sized)) == fact


BODY_OF = "the body does not fit {}, schema {}: "
BODY = BODY_OF.format("DealStageMoved", MOVED_ID)
NOT_FRAMED = "the record is not framed: it must begin with a zero byte and a schema id"


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (b"", NOT_FRAMED),
        (b"\0\0\0\0", NOT_FRAMED),
        (b"\1" + FRAME[1:], NOT_FRAMED),
        (b"{}" + FRAME, NOT_FRAMED),
        (b"\0\xff\xff\xff\xff" + FRAME[5:], "schema id 4294967295 is not in the registry"),
        (FRAME[:5], BODY + "IndexError('index out of range')"),
        (FRAME[:-1], BODY + "IndexError('index out of range')"),
        (FRAME[:-2], BODY + "IndexError('index out of range')"),
        (FRAME[:-3], BODY + "UnicodeDecodeError('utf-8', b'\\xd0\\xbe\\xd0\\xbf\\xd0\\xbb\\xd0\\xb0\\xd1\\x87\\xd0\\xb5"
         "\\xd0\\xbd\\xd0', 14, 15, 'unexpected end of data')"),
        (encode(NOTED)[:-2], BODY_OF.format("DeliveryNoted", CURRENT["DeliveryNoted"].id) + "it is cut short"),
        (FRAME + b"\0", BODY + "it is 1 bytes too long"),
        (FRAME[:5] + b"\1" + FRAME[6:], BODY + "ValueError('a length is negative')"),
        (FRAME[:5] + b"\xff" * 20, BODY + "ValueError('a number is longer than 64 bits')"),
    ],
)  # fmt: skip
def test_a_broken_record_is_refused_with_a_sentence(frame: bytes, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        decode(frame)
    assert str(refusal.value) == sentence


@given(st.binary(max_size=60), st.integers(0, 60))
@settings(max_examples=300, deadline=None)
def test_whatever_the_body_decode_gives_a_record_or_malformed(noise: bytes, kept: int) -> None:
    frame = FRAME[: 5 + kept] + noise
    try:
        assert isinstance(decode(frame), DealStageMoved)
    except Malformed as error:
        assert str(error).startswith(BODY)


@pytest.mark.parametrize(
    ("record", "sentence"),
    [
        (msgspec.structs.replace(MOVED, why="\ud800"), "DealStageMoved cannot be written: 'utf-8' codec can't encode "
         "character '\\ud800' in position 0: surrogates not allowed"),
        (msgspec.structs.replace(MOVED, why=5),
         "DealStageMoved cannot be written: 'int' object has no attribute 'encode'"),
        (msgspec.structs.replace(MOVED, meta=msgspec.structs.replace(META, cause_offset=2**63)),
         "DealStageMoved cannot be written: 9223372036854775808 does not fit 64 bits"),
        (msgspec.structs.replace(MOVED, meta=msgspec.structs.replace(META, cause_partition=2**31)),
         "DealStageMoved cannot be written: 2147483648 does not fit 32 bits"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_never_written(record: DealStageMoved, sentence: str) -> None:
    with pytest.raises(Malformed) as refusal:
        encode(record)
    assert str(refusal.value) == sentence


def test_the_type_is_known_without_reading_the_body() -> None:
    assert type_of(FRAME) is DealStageMoved
    assert type_of(FRAME[:5]) is DealStageMoved
    assert type_of(b"\0\xff\xff\xff\xff") is None


def test_a_class_that_is_not_the_published_one_stops_the_start() -> None:
    """Positional arguments in another order would put one field's value into another."""
    shape = record(field("meta", "string"), field("stage", "string"))
    with pytest.raises(Broken) as refusal:
        reader(shape, {"Deal": DealStageMoved})
    assert str(refusal.value) == (
        "The class Deal is not the one that was published. Nothing was read. Run make events."
    )


def test_the_longest_number_ends_at_ten_bytes() -> None:
    assert numeral(b"\xff" * 9 + b"\x01", 0) == (-(2**63), 10)
    with pytest.raises(ValueError, match="longer than 64 bits"):
        numeral(b"\xff" * 9 + b"\x02", 0)
    with pytest.raises(ValueError, match="longer than 64 bits"):
        numeral(b"\xff" * 10 + b"\x01", 0)
