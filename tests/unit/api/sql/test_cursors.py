"""A cursor gives its values back exactly, and is valid for its own list only."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.errors import BadCursor
from api.sql.cursors import Order

DEALS = Order("deal", ("touched_at", "deal_id"), ("timestamptz", "uuid"))
TIMELINE = Order("timeline", ("at", "step", "entry_id"), ("timestamptz", "bigint", "uuid"))
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)
KEY = "22222222-2222-4222-8222-222222222222"


def sent(*values: object) -> bytes:
    """As Postgres sends these values in binary."""
    return b"".join(v.bytes if isinstance(v, UUID) else int(str(v)).to_bytes(8, "big", signed=True) for v in values)


def written(order: Order, *values: object, filters: str = "") -> str:
    return order.tag(filters) + b64encode(sent(*values)).decode()


@given(at=st.integers(-(2**63), 2**63 - 1), step=st.integers(-(2**63), 2**63 - 1), key=st.uuids())
def test_every_place_comes_back(at: int, step: int, key: UUID) -> None:
    assert TIMELINE.position(written(TIMELINE, at, step, key), TIMELINE.tag()) == (str(at), str(step), key.hex)


def test_the_statement_reads_microseconds_since_2000_in_two_exact_parts() -> None:
    at = (datetime(2026, 1, 1, 12, 0, 0, 1, UTC) - BEGINNING) // timedelta(microseconds=1)
    assert DEALS.position(written(DEALS, at, UUID(KEY)), DEALS.tag())[0] == "820584000000001"
    assert DEALS.beyond("t", ("$1", "$2")) == (
        "(t.touched_at, t.deal_id) < (timestamptz '2000-01-01 00:00:00+00' "
        "+ $1::bigint / 1000000 * interval '1 second' + mod($1::bigint, 1000000) * interval '1 microsecond', $2::uuid)"
    )


def test_a_cursor_is_written_by_postgres() -> None:
    assert DEALS.cursor_of("$2", "t1") == (
        "$2 || encode(timestamptz_send(t1.touched_at) || uuid_send(t1.deal_id), 'base64')"
    )


@pytest.mark.parametrize("text", ["", "?", "é", "AAAA", "W10", "a", "\0", "bnVsbA", "e30", "\ud800", DEALS.tag()])
def test_an_invalid_cursor_is_refused(text: str) -> None:
    with pytest.raises(BadCursor, match="This is not a cursor"):
        DEALS.position(text, DEALS.tag())


@pytest.mark.parametrize(
    "other",
    [
        Order("contact", ("touched_at", "contact_id"), DEALS.types),
        Order("deal", ("touched_at", "deal_id"), DEALS.types, newest=False),
        Order("deal", ("opened_at", "deal_id"), DEALS.types),
    ],
)
def test_another_lists_or_another_orders_cursor_is_refused(other: Order) -> None:
    with pytest.raises(BadCursor, match="belongs to another list"):
        DEALS.position(written(other, 1, UUID(KEY)), DEALS.tag())


@pytest.mark.parametrize("values", [(1,), (UUID(KEY),), (1, UUID(KEY), 1), (1, 1)])
def test_a_changed_cursor_is_refused(values: tuple[object, ...]) -> None:
    with pytest.raises(BadCursor, match="is damaged"):
        DEALS.position(written(DEALS, *values), DEALS.tag())
