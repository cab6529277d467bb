"""`objectsBy`: every order, range and choice of an indexed field is read by its index, and no more rows than needed."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace as changed
from decimal import Decimal
from typing import Any

import psycopg
import pytest
from msgspec.structs import replace
from psycopg.rows import dict_row

from api.sql.objects_by import WALKED, FieldPage, Ranges
from api.sql.pool import OPTIONS
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.read_models import packed, save
from crm.adapters.postgres.reader_role import NAME
from crm.objects import sortable_number
from projections import PROJECTIONS
from tests.integration.api.sql.test_filters import looked_at, nodes_of, sorted_rows
from tests.support.filter_rows import EDGE, ROWS, edge, row_in, rows_of
from tests.support.shop_rows import OTHER, SHOP, delete_rows

OBJECT = PROJECTIONS["object"]
PAGE = 20
Page = FieldPage("seller", "slot1", "number", Ranges({}), PAGE, None, False)


def row(n: int) -> Any:
    """`slot1`: a number that ten rows share; `slot2`: a text that most rows share; `slot3`: a number of few rows."""
    rare = sortable_number(Decimal(n)) if n % 500 == 0 else None
    slots = {"slot1": sortable_number(Decimal(n // 10)), "slot2": edge(n, "first", "most", "last"), "slot3": rare}
    return replace(rows_of("objects", n), type="seller", **slots)


class Explaining:
    """Runs statements as the API does, and explains each."""

    def __init__(self, reader: psycopg.Connection[Any]) -> None:
        self.reader, self.plans = reader, list[dict[str, Any]]()

    async def rows(self, statement: str, **parameters: Any) -> list[Any]:
        given = {"workspace": SHOP, **parameters}
        explained = self.reader.execute(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {statement}".encode(), given)
        self.plans.append(explained.fetchone()["QUERY PLAN"][0]["Plan"])  # type: ignore[index]  # a row as a dict
        return self.reader.execute(statement.encode(), given).fetchall()


@pytest.fixture(scope="module")
def reader(database_url: str) -> Iterator[psycopg.Connection[Any]]:
    migrate(database_url, PROJECTIONS.values())
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)
        for workspace, count in ((SHOP, ROWS), (OTHER, 500)):
            saved = packed(OBJECT, [row_in(row(n), workspace) for n in range(count)])
            connection.execute(save(OBJECT).encode(), saved)
        connection.execute(f"ANALYZE {OBJECT.qualified_name}".encode())
    with psycopg.connect(database_url, autocommit=True, options=OPTIONS, row_factory=dict_row) as reader:
        reader.execute(NAME, [SHOP])
        yield reader
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)


def numbers(**given: Any) -> Ranges:
    return Ranges.of("number", given)


RARE, COMMON = changed(Page, column="slot3"), changed(Page, column="slot2", kind="text")
PAGES = {
    "all": Page,
    "from": changed(Page, ranges=numbers(gte=1_900)),
    "between": changed(Page, ranges=numbers(gt=5, lte=7)),
    "below": changed(Page, ranges=numbers(lt=0)),
    "equal": changed(Page, ranges=numbers(equals=77)),
    "one of some": changed(Page, ranges=numbers(any_of=[3, 77, 1_999])),
    "rare": RARE,
    "a common text": changed(COMMON, ranges=Ranges.of("text", {"equals": "most"})),
    "common and rare texts": changed(COMMON, ranges=Ranges.of("text", {"any_of": ["last", "most", "nothing"]})),
    "by key": changed(Page, column="key", kind="text"),
    "of a rare status": changed(Page, status="new"),
    "of a common status": changed(Page, status="active"),
}


def expected(page: FieldPage) -> list[str]:
    """The keys that Python finds, in order."""
    signs = {"gt": str.__gt__, "gte": str.__ge__, "lt": str.__lt__, "lte": str.__le__, "equals": str.__eq__}

    def meets(one: Any) -> bool:
        value = getattr(one, page.column)
        if value is None or page.status not in (None, one.status):
            return False
        wanted = dict(page.ranges.parameters)
        return value in wanted.pop("any_of", [value]) and all(signs[name](value, v) for name, v in wanted.items())

    found = [one for one in map(row, range(ROWS)) if meets(one)]
    found.sort(key=lambda one: (getattr(one, page.column), one.object_id), reverse=page.descending)
    return [one.key for one in found]


def read(page: FieldPage, explaining: Explaining) -> Any:
    return asyncio.run(page.read(explaining))  # type: ignore[arg-type]  # all that it needs of Reads


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_read_by_the_index_of_its_field(
    reader: psycopg.Connection[Any], name: str, descending: bool
) -> None:
    page = changed(PAGES[name], descending=descending)
    wanted, explaining = expected(page), Explaining(reader)
    seen: list[str] = []
    while len(seen) < min(len(wanted), 2 * PAGE):
        found = read(page, explaining)
        seen += [one["key"] for one in found["nodes"]]
        page = changed(page, after=found["page_info"]["end_cursor"])
    assert seen[: len(wanted)] == wanted[: len(seen)] and len(seen) >= min(len(wanted), 2 * PAGE)
    most = WALKED if page.status else PAGE + 1
    for plan in explaining.plans:
        assert [node for node in nodes_of(plan) if node["Node Type"] == "Seq Scan"] == []
        assert looked_at(plan, OBJECT.table) <= most
        assert all(sorted_rows(node) <= most for node in nodes_of(plan))


@pytest.mark.parametrize(("name", "count"), [("from", 1_000), ("between", 20), ("below", 0), ("rare", ROWS // 500)])
def test_a_count_reads_no_more_than_it_counts(reader: psycopg.Connection[Any], name: str, count: int) -> None:
    explaining = Explaining(reader)
    found = read(PAGES[name], explaining)
    explaining.plans.clear()
    assert asyncio.run(found["total"]()) == {"count": count, "capped": False}
    (plan,) = explaining.plans
    assert looked_at(plan, OBJECT.table) <= count


def test_a_count_with_a_status_is_bounded(reader: psycopg.Connection[Any]) -> None:
    explaining = Explaining(reader)
    found = read(PAGES["of a rare status"], explaining)
    explaining.plans.clear()
    counted = asyncio.run(found["total"]())
    assert (counted["capped"], counted["count"] <= EDGE) == (True, True)
    assert looked_at(explaining.plans[0], OBJECT.table) <= 10_001
