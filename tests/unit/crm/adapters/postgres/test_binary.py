"""Arrays in Postgres's binary format. That Postgres reads them is held by the tests of read models."""

import struct

import pytest
from hypothesis import given as for_any
from hypothesis import strategies as st

from crm.adapters.postgres.binary import NULL, array, literal, text, uuid, uuid_fields

ONE, TWO = "00000000-0000-4000-8000-000000000001", "ffffffff-ffff-4fff-8fff-ffffffffffff"


def test_an_array() -> None:
    head = struct.pack(">iiIii", 1, 0, 20, 2, 1)
    assert array("bigint", [7, None]) == head + struct.pack(">iq", 8, 7) + NULL
    assert array("text", ["ґ"])[20:] == b"\0\0\0\2" + "ґ".encode()
    assert array("timestamptz", [946_684_800_000_001])[20:] == struct.pack(">iq", 8, 1)
    assert array("jsonb", [{"n": "1.10"}])[20:] == b'\0\0\0\x0b\1{"n":1.10}'
    assert array("json", [b'{"n":1.10}'])[20:] == b'\0\0\0\n{"n":1.10}'
    assert array("bytea", [b"\0"])[20:] == b"\0\0\0\1\0"
    assert array("boolean", [True, False])[20:] == b"\0\0\0\1\1\0\0\0\1\0"


@for_any(values=st.lists(st.uuids().map(str), max_size=5))
def test_ids_are_packed_at_once_as_one_by_one(values: list[str]) -> None:
    assert b"".join(uuid_fields(values)) == b"".join(map(uuid, values))
    assert [*uuid_fields([*values, None])] == [*map(uuid, values), NULL]


@pytest.mark.parametrize(
    "values",
    [
        ["7"],
        [ONE, ONE.replace("-", "")],
        [ONE[1:], f"0{TWO}"],
        [f"{ONE[:-1]}g"],
        [ONE.replace("0000-4", "000-04"), TWO],
        [f"{{{ONE[2:]}}}"],
    ],
)
def test_what_is_no_id_is_refused(values: list[str]) -> None:
    """Two that together have the right length are not mixed up either."""
    with pytest.raises(ValueError):
        uuid_fields(values)


def test_a_text_with_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        text("a\0b")


def test_an_array_as_text() -> None:
    assert [literal(()), literal(None), literal(('a "b"', "c\\,", ""))] == ["{}", None, r'{"a \"b\"","c\\,",""}']
    with pytest.raises(TypeError):
        literal("abc")
