"""Every filter with every order that the table of docs/graphql.md promises: the right rows, read by an index.

Rare values stand only at one end of each order, so that a plan which walks an order and throws rows away reads
thousands of them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from typing import Any, NamedTuple

import psycopg
import pytest

from api.schema.lists import LISTS
from api.schema.names import camel, type_name
from api.sql.pool import OPTIONS
from crm.adapters.postgres import field_values
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.read_models import index_name, packed, save
from crm.adapters.postgres.reader_role import NAME
from projections import PROJECTIONS
from projections.pipeline import PipelineRow
from tests.integration.api.sql.test_plan_equals_resolvers import READER, Both
from tests.support.filter_cases import PAGE, TESTED, Case, Expected, cases, samples_of, where_of
from tests.support.filter_rows import ROWS, row_in, rows_of
from tests.support.shop_rows import OTHER, SHOP, delete_rows, id_of


class Shop(NamedTuple):
    """What the tests ask, and the connection that explains it."""

    paths: Both
    rows: dict[str, list[Any]]
    reader: psycopg.Connection[Any]


@pytest.fixture(scope="module")
def shop(database_url: str) -> Iterator[Shop]:
    with filled(database_url, TESTED) as shop:
        yield shop


@contextmanager
def filled(database_url: str, lists: Sequence[str]) -> Iterator[Shop]:
    """Fills these lists of two workspaces, for the time of the block."""
    migrate(database_url, PROJECTIONS.values())
    rows = {name: [rows_of(name, n) for n in range(ROWS)] for name in lists}
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)
        pipeline = PipelineRow(id_of("pipeline"), "Shop", "UA", "UAH", "Europe/Kyiv", ("new",), "won", "new")
        for name, found in [("pipelines", [pipeline]), *rows.items()]:
            projection = PROJECTIONS["pipeline"] if name == "pipelines" else LISTS[name].projection
            for start, workspace in product(range(0, len(found), 5_000), (SHOP, OTHER)):
                part = found[start : start + (5_000 if workspace == SHOP else 500)]
                saved = packed(projection, [row_in(row, workspace) for row in part])
                connection.execute(save(projection).encode(), saved)
            field_values.fill(connection, projection)
            connection.execute(f"ANALYZE read.{projection.table}".encode())
    paths = Both(database_url)
    with psycopg.connect(database_url, autocommit=True, options=OPTIONS) as reader:
        reader.execute(NAME, [SHOP])
        yield Shop(paths, rows, reader)
    paths.close()
    with psycopg.connect(database_url, autocommit=True) as connection:
        delete_rows(connection)


QUERY = """query Asked($after: String, $where: {kind}Where) {{
  {list}(first: 20, after: $after, orderBy: {order}, where: $where) {{
    nodes {{ id }} totalCount {{ count }} pageInfo {{ endCursor hasNextPage }} }} }}"""


CASES = list(cases())


@pytest.mark.parametrize("name", TESTED)
def test_every_pair_gives_what_python_finds(shop: Shop, name: str) -> None:
    rows, kind = shop.rows[name], type_name(LISTS[name].projection.name)
    expected = Expected(name, rows)
    for case in (case for case in CASES if case.list == name):
        query = QUERY.format(kind=kind, list=camel(name), order=case.order)
        for shift, samples in enumerate(samples_of(case, rows)):
            where, tests = where_of(case, samples)
            wanted = expected.ids(case, where, tests)
            fast = shop.paths.fast(query, where=where)
            assert fast is not None, f"{case}: {where} has no plan: {shop.paths.slow(query, where=where)}"
            page = fast["data"][camel(name)]
            assert [node["id"] for node in page["nodes"]] == wanted[:PAGE], f"{case}: {where}"
            assert page["totalCount"]["count"] == min(len(wanted), 10_000), f"{case}: {where}"
            second = shop.paths.fast(query, where=where, after=page["pageInfo"]["endCursor"]) if wanted else fast
            assert second is not None
            assert [node["id"] for node in second["data"][camel(name)]["nodes"]] == wanted[PAGE : 2 * PAGE], (
                f"{case}: {where}"
            )
            if shift == 1:  # the middle one is asked of the resolvers too
                assert shop.paths.slow(query, where=where) == fast, f"{case}: {where}"


PAGE_ONLY = """query Asked($where: {kind}Where) {{
  {list}(first: 20, orderBy: {order}, where: $where) {{ nodes {{ id }} }} }}"""
SCANS = ("Index Scan", "Index Only Scan", "Bitmap Heap Scan", "Bitmap Index Scan", "Seq Scan")


def nodes_of(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from nodes_of(below)


def looked_at(plan: dict[str, Any], table: str) -> int:
    """Rows of the table that a plan read, also those that it threw away."""
    thrown = ("Rows Removed by Filter", "Rows Removed by Index Recheck")
    return round(
        sum(
            (node["Actual Rows"] + sum(node.get(name, 0) for name in thrown)) * node["Actual Loops"]
            for node in nodes_of(plan)
            if node["Node Type"] in SCANS and node.get("Relation Name") == table
        )
    )


def sorted_rows(node: dict[str, Any]) -> int:
    """Rows that a node sorted; 0 for other nodes."""
    return sum(round(below["Actual Rows"]) for below in node["Plans"]) if "Sort" in node["Node Type"] else 0


def explained(shop: Shop, query: str, where: Any, generic: bool) -> dict[str, Any]:
    plan = shop.paths.engine.prepare(query, None, READER)
    variables = plan.variables({"where": where})
    assert variables
    statement = plan.statement(variables)
    assert statement
    given = statement.parameters(SHOP, variables)
    mode = "force_generic_plan" if generic else "force_custom_plan"
    shop.reader.execute(f"SET plan_cache_mode = {mode}".encode())
    shop.reader.execute(b"PREPARE question AS " + statement.text)
    values = ", ".join(psycopg.sql.Literal(value).as_string(shop.reader) for value in given)
    try:
        explain = f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) EXECUTE question ({values})"
        ((found,),) = shop.reader.execute(explain.encode()).fetchall()
    finally:
        shop.reader.execute("DEALLOCATE question")
    root: dict[str, Any] = found[0]["Plan"]
    return root


def most(case: Case, samples: list[Any]) -> int:
    """The most rows that a page may look at: one page of each value, or all of the few rows of a look-up."""
    values = len(samples) ** sum(operator == "in" for operator in case.operators)
    return 5 * (PAGE + 1) * values


def too_many(shop: Shop, name: str, order: str = "") -> list[str]:
    """Returns the pairs of a list, in orders that begin so, whose page looks at or sorts more rows than it needs, or
    scans the table."""
    found, listed = [], LISTS[name]
    for case in (case for case in CASES if case.list == name and case.order.startswith(order)):
        query = PAGE_ONLY.format(kind=type_name(listed.projection.name), list=camel(name), order=case.order)
        for samples, generic in product(samples_of(case, shop.rows[name]), (False, True)):
            where, _ = where_of(case, samples)
            plan = explained(shop, query, where, generic)
            scans = any(
                n["Node Type"] == "Seq Scan" and n["Relation Name"] == listed.projection.table for n in nodes_of(plan)
            )
            count, blocks = (
                looked_at(plan, listed.projection.table),
                plan["Shared Hit Blocks"] + plan["Shared Read Blocks"],
            )
            scans = scans or any(sorted_rows(node) > most(case, samples) for node in nodes_of(plan))
            if scans or count > most(case, samples) or blocks > 12 * most(case, samples):
                found.append(f"{case} {where} generic={generic}: {count} rows, {blocks} blocks, scans={scans}")
    return found


@pytest.mark.parametrize("name", TESTED)
def test_every_pair_is_read_by_an_index(shop: Shop, name: str) -> None:
    found = too_many(shop, name)
    assert found == [], "\n".join(found)


@contextmanager
def without_index(shop: Shop, columns: str) -> Iterator[None]:
    """Drops an index of deals for the time of the block."""
    name = index_name(PROJECTIONS["deal"], columns)
    with psycopg.connect(shop.paths.dsn, autocommit=True) as connection:
        (made,) = connection.execute("SELECT pg_get_indexdef(to_regclass(%s))", [f"read.{name}"]).fetchone() or ("",)
        connection.execute(f"DROP INDEX read.{name}".encode())
        try:
            yield
        finally:
            connection.execute(made.encode())


def test_a_missing_index_is_found(shop: Shop) -> None:
    """Planted: without the index of stage, the pages of rare stages are found by walking through all deals."""
    with without_index(shop, "stage, opened_at"):
        missed = too_many(shop, "deals")
    assert missed
    assert {line.split(" ")[1].rpartition("_")[0] for line in missed} == {"CREATED_AT"}


def test_a_sort_of_many_rows_is_found(shop: Shop) -> None:
    """Planted: without the index of its time, a page of deals by closing date scans the table and sorts it."""
    with without_index(shop, "closed_at"):
        query = PAGE_ONLY.format(kind="Deal", list="deals", order="CLOSED_AT_DESC")
        found = list(nodes_of(explained(shop, query, None, False)))
        missed = too_many(shop, "deals", "CLOSED_AT")
    assert max(map(sorted_rows, found)) > 10_000
    assert missed
    assert all(" none " in line or "closed_at" in line or " fields." in line for line in missed)
