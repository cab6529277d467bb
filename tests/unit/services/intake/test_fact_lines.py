"""What libraries do to valid input, seen in the versions named here: with us the right value comes out."""

import io
import json
from collections.abc import Iterator
from typing import Any

import fastavro
import msgspec
import pytest

from crm.contract.codec import READERS, RECORDS, decode
from crm.contract.registry import golden_file, registered
from crm.errors import Malformed
from crm.facts import PaymentReported
from crm.scalars import Id, Micros
from services.intake.fact_lines import parse_line
from services.intake.values import LineContext
from tests.support.scenarios import NOON
from tests.support.tools import ROOT

SCHEMAS = ROOT / "schemas" / "avro"
ID = Id("00000000-0000-4000-8000-00000000000a")
CONTEXT = LineContext(ID, ID, Micros(NOON))


def primitives(avro: Any) -> Iterator[str]:
    match avro:
        case str():
            yield avro
        case [*branches]:
            for branch in branches:
                yield from primitives(branch)
        case {"type": inner, **rest}:
            yield from primitives(inner)
            for part in ("items", "values"):
                yield from primitives(rest.get(part, []))
            for field in rest.get("fields", []):
                yield from primitives(field["type"])


def test_no_schema_of_ours_has_a_float() -> None:
    """fastavro 1.13 writes an int in ["null", "double", "long"] as a double, which rounds it."""
    rounded = io.BytesIO()
    union: Any = fastavro.parse_schema(["null", "double", "long"])
    fastavro.schemaless_writer(rounded, union, 2**53 + 1)
    assert fastavro.schemaless_reader(io.BytesIO(rounded.getvalue()), union, None) == 2.0**53, "the trap is gone"
    found = {file.name: {*primitives(json.loads(file.read_text()))} for file in SCHEMAS.rglob("*.avsc")}
    assert len(found) > 60 and "long" in found["payment_reported.avsc"]
    assert [name for name, kinds in found.items() if kinds & {"float", "double"}] == []


def mutable(value: Any) -> Iterator[Any]:
    """The lists and dicts in a record."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from mutable(getattr(value, name))
    elif isinstance(value, list | dict):
        yield value
        for inner in value.values() if isinstance(value, dict) else value:
            yield from mutable(inner)


def test_defaults_of_an_older_shape_belong_to_one_record_alone() -> None:
    """fastavro 1.13 gives a reader's default as it stands in the schema, and the same list to all records."""
    old: Any = fastavro.parse_schema({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}]})
    listed = {"name": "more", "type": {"type": "array", "items": "int"}, "default": []}
    new: Any = fastavro.parse_schema({"type": "record", "name": "R", "fields": [{"name": "a", "type": "int"}, listed]})
    body = io.BytesIO()
    fastavro.schemaless_writer(body, old, {"a": 1})
    read: Any = [fastavro.schemaless_reader(io.BytesIO(body.getvalue()), old, new) for _ in range(2)]
    assert read[0]["more"] is read[1]["more"], "the trap is gone"

    older = [entry for entry in registered() if not entry.current]
    assert older
    for entry in older:
        golden = json.loads(golden_file(entry).read_text())
        for kind in ("full", "least"):
            framed = bytes.fromhex(golden[kind]["hex"])
            first, second = decode(framed), decode(framed)
            assert first == second and type(first) is RECORDS[entry.name]
            mine = {id(part) for part in mutable(first)}
            assert not mine & {id(part) for part in mutable(second)}, entry.name
    assert {entry.id for entry in older} < READERS.keys()


def test_a_payment_without_a_moment_of_its_own_happened_when_its_provider_says() -> None:
    """A payment of yesterday was dated now: yesterday evening, its deal was not paid."""
    fact = payment('"amount":"1.00"', "2025-12-31T12:00:00Z")
    assert (fact.meta.occurred_at, fact.meta.recorded_at) == (fact.changed_at, NOON)
    assert fact.changed_at < NOON


def payment(amount: str, changed_at: str = "2026-01-01T12:00:00Z") -> PaymentReported:
    line = (
        '{"type":"PaymentReported","provider":"bank","payment":"p","status":"settled","currency":"UAH",'
        f'"changed_at":"{changed_at}",{amount}}}'
    )
    fact = parse_line(line.encode(), lambda: ID, CONTEXT)
    assert isinstance(fact, PaymentReported)
    return fact


@pytest.mark.parametrize(
    "text", ["NaN", "Infinity", "-Infinity", "1_000", "1e3", "٣٠٠", "３００", "0x10", "+-5", "1 0_0"]
)
def test_what_pythons_decimal_takes_for_a_number_is_no_sum(text: str) -> None:
    """msgspec 0.22 fills a Decimal field with NaN, Infinity and `1_000`; `int` and `\\d` take digits of any script."""
    with pytest.raises(Malformed, match="In `amount`: "):
        payment(f'"amount":"{text}"')


@pytest.mark.parametrize("number", ["1000.0", "1e3", "1000.5", "1E+3", "true", '"1000"'])
def test_smallest_units_are_a_whole_number_written_as_one(number: str) -> None:
    """msgspec 0.22 in its strict mode takes 1.0 and 1e3 for no int: said, and nothing is rounded."""
    with pytest.raises(Malformed, match=r"Expected `int \| null`, got `\w+` in `amount_minor`"):
        payment(f'"amount_minor":{number}')


def test_each_digit_of_a_sum_is_kept() -> None:
    assert payment('"amount_minor":9007199254740993').amount_minor == 2**53 + 1
    assert payment('"amount":"90071992547409.93"').amount_minor == 2**53 + 1
