"""The values of custom fields on a real Postgres are those of the rows, whatever happened, in whatever batches."""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from api.sql.pool import OPTIONS
from crm.adapters.postgres import field_values
from crm.adapters.postgres.field_values import WrongValue
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.reader_role import NAME
from crm.objects import sortable_number
from crm.scalars import Id
from projections import PROJECTIONS
from tests.support.command_strategies import any_story
from tests.support.operator_session import OperatorSession
from tests.support.project_role import in_memory, role
from tests.support.records import in_workspace, journal, open_connection
from tests.support.shop_rows import OTHER, SHOP, deal, delete_rows, insert

FIELDED = [projection for projection in PROJECTIONS.values() if field_values.kept(projection)]
DEAL = PROJECTIONS["deal"]
KEPT = f"SELECT field, value FROM {field_values.table(DEAL)} WHERE workspace = %s ORDER BY deal_id, field"


def text_of(value: Any) -> str:
    """The same as the expression of Postgres, in Python."""
    if isinstance(value, bool):
        return f"b{str(value).lower()}"
    return f"s{value[:200]}" if isinstance(value, str) else f"n{sortable_number(value)}"


def values_in(fields: dict[str, str]) -> dict[str, str]:
    plain = {key: json.loads(text, parse_float=Decimal, parse_int=Decimal) for key, text in fields.items()}
    return {key: text_of(value) for key, value in plain.items() if isinstance(value, str | bool | Decimal)}


def fields_of(row: Any) -> dict[str, str]:
    found: dict[str, str] = row.fields
    return found


def test_all_projections_with_custom_fields_keep_their_values() -> None:
    assert [projection.name for projection in FIELDED] == ["contact", "deal"]


@settings(max_examples=10)
@for_any(story=any_story(), size=st.integers(1, 12), again=st.booleans())
def test_values_are_those_of_the_rows(database_url: str, story: OperatorSession, size: int, again: bool) -> None:
    """Whatever was done and in whatever batches; and repeats have no effect."""
    workspace = Id(str(uuid4()))
    events: list[Any] = [in_workspace(event, workspace) for event in story.decide.journal]
    wanted = {
        (name, key, field, value)
        for (name, _, key), row in in_memory(events).items()
        if PROJECTIONS[name] in FIELDED
        for field, value in values_in(fields_of(row)).items()
    }

    async def run() -> None:
        async with await open_connection(database_url) as conn:
            await conn.execute("TRUNCATE core.checkpoint")  # each example has a log of its own
            project, log = await role(conn), journal(events)
            await project.catch_up(log, size)
            if again:
                for n in range(0, len(log), size):
                    await project.batch(log[n : n + size])
            kept = set()
            for of in FIELDED:
                query = f"SELECT {of.key}::text, field, value FROM {field_values.table(of)} WHERE workspace = %s"
                kept |= {(of.name, *row) for row in await (await conn.execute(query, [workspace])).fetchall()}
            assert kept == wanted

    asyncio.run(run())


@pytest.fixture(scope="module")
def shop(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    migrate(database_url, PROJECTIONS.values())
    with psycopg.connect(database_url, autocommit=True) as conn:
        yield conn
        delete_rows(conn)


NUMBERS = st.decimals(allow_nan=False, allow_infinity=False, places=6) | st.integers(-(10**30), 10**30).map(Decimal)


@settings(max_examples=25)
@for_any(numbers=st.lists(NUMBERS, min_size=2, max_size=12), texts=st.lists(st.text("яЯaZ10.-", max_size=6)))
def test_postgres_writes_values_as_python_does(
    shop: psycopg.Connection[Any], numbers: list[Decimal], texts: list[str]
) -> None:
    """And their order is that of the numbers."""
    fields = {f"n{n}": f"{number:f}" for n, number in enumerate(numbers)}
    fields |= {f"t{n}": msgspec.json.encode(text).decode() for n, text in enumerate(texts)}
    fields |= {"yes": "true", "list": "[1]", "long": f'"{"x" * 300}"', "x" * 201: "1", "zero": "-0.000", "e": "1e300"}
    insert_one(shop, fields)
    kept = dict(shop.execute(KEPT.encode(), [SHOP]).fetchall())
    assert field_values.wrong(shop, DEAL) == []
    assert kept == {key: text for key, text in values_in(fields).items() if len(key) <= 200}
    by_text = sorted(range(len(numbers)), key=lambda n: (kept[f"n{n}"], n))
    assert by_text == sorted(range(len(numbers)), key=lambda n: (numbers[n], n))


def insert_one(conn: psycopg.Connection[Any], fields: dict[str, str]) -> None:
    delete_rows(conn)
    insert(conn, SHOP, deal(1, fields=fields))


def test_a_wrong_value_is_found(shop: psycopg.Connection[Any]) -> None:
    """Planted: one value that the row has not, one that is missing."""
    insert_one(shop, {"count": "7", "size": '"L"'})
    key, table = deal(1).deal_id, field_values.table(DEAL)
    assert field_values.wrong(shop, DEAL) == []
    shop.execute(f"UPDATE {table} SET value = 'n250008' WHERE field = 'count'".encode())
    shop.execute(f"DELETE FROM {table} WHERE field = 'size'".encode())
    assert field_values.wrong(shop, DEAL) == [
        WrongValue(SHOP, key, "count", "n250008", "n250007"),
        WrongValue(SHOP, key, "size", None, "sL"),
    ]


def test_another_workspace_sees_nothing(shop: psycopg.Connection[Any], database_url: str) -> None:
    """Row-level security holds for the table and for its view."""
    insert_one(shop, {"size": '"L"'})
    with psycopg.connect(database_url, autocommit=True, options=OPTIONS) as reader:
        for workspace, seen in ((SHOP, 1), (OTHER, 0)):
            reader.execute(NAME, [workspace])
            for name in ("read.deal_field_values", field_values.table(DEAL)):
                assert reader.execute(f"SELECT count(*) FROM {name}".encode()).fetchone() == (seen,)


def test_ten_thousand_fields_of_a_deal_and_the_longest_values(shop: psycopg.Connection[Any]) -> None:
    """What is longer than an index row holds is kept by its beginning, and a key that is too long is not kept."""
    fields = {f"field {n}": str(n) for n in range(10_000)}
    longest = "\U0001f600" * 200  # of four bytes each, as key and as value
    insert_one(shop, {**fields, longest: f'"{longest * 1_000}"', f"{longest}!": "1", "digits": "9" * 5_000})
    kept = dict(shop.execute(KEPT.encode(), [SHOP]).fetchall())
    assert field_values.wrong(shop, DEAL) == []
    assert len(kept) == 10_002
    assert kept["field 9999"] == "n250039999"
    assert kept[longest] == f"s{longest}"
    assert kept["digits"] == f"n2{5_000 + 4_999}{'9' * 200}"


def test_a_moved_time_moves_the_values(shop: psycopg.Connection[Any]) -> None:
    """The values stand in the order of the time that a deal was opened at, which its source may tell again."""
    insert_one(shop, {"size": '"L"'})
    table = field_values.table(DEAL)
    moved = f"UPDATE {table} SET opened_at = opened_at + interval '1 second' WHERE workspace = %s"
    shop.execute(moved.encode(), [SHOP])
    assert field_values.wrong(shop, DEAL) == [WrongValue(SHOP, deal(1).deal_id, "size", "sL", "sL")]
