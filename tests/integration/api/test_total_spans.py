"""Totals of any span of time: what lies within, in any zone, read by ranges of indexes alone."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from api.sql.totals import Question, statement
from crm.adapters.postgres import totals as cells
from crm.adapters.postgres.reader_role import NAME, ROLE
from crm.periods import Period, spans
from crm.zones import zone
from projections import PROJECTIONS
from tests.support.graphql_server import ApiServer, api_server
from tests.support.shop_rows import SHOP, insert
from tests.support.total_rows import fill, opened, shop

MOMENTS = st.datetimes(datetime(2024, 12, 1), datetime(2026, 3, 1)).map(lambda at: at.replace(tzinfo=UTC))
QUARTERS = MOMENTS.map(lambda at: at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0))
ZONES = ("Europe/Kyiv", "UTC", "Asia/Kathmandu", "America/St_Johns", "Pacific/Apia", "Africa/Cairo", "America/Havana")


@pytest.fixture(scope="module")
def api_(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


@settings(max_examples=60)
@for_any(
    moments=st.lists(st.one_of(MOMENTS, QUARTERS), max_size=12),
    begin=st.one_of(QUARTERS, MOMENTS),
    length=st.integers(0, 60 * 96 * 15),
    timezone=st.sampled_from(ZONES),
    period=st.sampled_from([None, Period.DAY, Period.WEEK, Period.MONTH, Period.QUARTER, Period.YEAR]),
)
def test_any_span_in_any_zone_counts_what_lies_within(
    api_: ApiServer, moments: list[datetime], begin: datetime, length: int, timezone: str, period: Period | None
) -> None:
    fill(api_, shop(timezone), *(opened(n, at.isoformat(), amount_minor=n) for n, at in enumerate(moments, 1)))
    end = begin + timedelta(minutes=length)
    expected = []
    for first, last in spans(period, zone(timezone), begin, end):
        within = [n for n, at in enumerate(moments, 1) if first <= at < last]
        if within:
            expected.append((first, last, len(within), [{"minor": sum(within)}]))
    query = """query ($from: DateTime!, $to: DateTime!, $period: Period) {
      dealTotals(period: $period, from: $from, to: $to) { from to count amount { minor } } }"""
    given: dict[str, Any] = {"from": begin.isoformat(), "to": end.isoformat(), "period": period and period.name}
    found = [
        (datetime.fromisoformat(row["from"]), datetime.fromisoformat(row["to"]), row["count"], row["amount"])
        for row in api_.data(query, **given)["dealTotals"]
    ]
    assert found == expected


def test_only_ranges_of_indexes_are_read(api_: ApiServer) -> None:
    """As the role that reads, under row-level security: cells by their primary key, hours at the ends by the time."""
    fill(api_, shop("Europe/Kyiv"))
    deals, day = PROJECTIONS["deal"], datetime(2024, 1, 1, tzinfo=UTC)
    many = [opened(n, (day + timedelta(hours=n)).isoformat()) for n in range(2_000)]
    query = statement(deals, Question(("source",), {"source": ["form"]}, "opened_at"))
    query = query.replace("%(workspace)s", f"'{SHOP}'").replace("%(total)s", "'source by opened_at'")
    for name, values in (("spans", "1"), ("signs", "1"), ("uses", "1"), ("grains", "'day'"), ("source", "'form'")):
        query = query.replace(f"%({name})s", f"ARRAY[{values}]")
    query = query.replace("%(begins)s", "ARRAY['2026-01-01']").replace("%(ends)s", "ARRAY['2026-02-01']")
    with psycopg.connect(api_.dsn) as connection:
        insert(connection, SHOP, *many)
        connection.commit()
        connection.autocommit = True
        connection.execute(f"VACUUM ANALYZE {deals.qualified_name}, {cells.table(deals)}".encode())
        connection.execute(f"SET ROLE {ROLE}".encode())
        connection.execute(NAME, [SHOP])
        (((plan,),),) = (connection.execute(f"EXPLAIN (FORMAT JSON) {query}".encode()).fetchall(),)

    def scans(node: dict[str, Any]) -> Iterator[tuple[str, str]]:
        if "Index Cond" in node:
            kind = "Index Only Scan" if node["Index Name"].endswith("_opened_at") else "Index Scan"
            assert node["Node Type"] == kind
            yield node["Index Name"], node["Index Cond"]
        for child in node.get("Plans", []):
            yield from scans(child)

    found = dict(scans(plan[0]["Plan"]))
    cells_by, rows_by = f"{deals.table}{cells.SUFFIX}_pkey", f"{deals.table}_opened_at"
    assert found.keys() == {cells_by, rows_by}
    for part in ("workspace = ", "total = ", "grain = p.grain", "period >= p.begins", "period < p.ends"):
        assert part in found[cells_by]
    for part in ("workspace = ", "opened_at >= p.begins", "opened_at < p.ends"):
        assert part in found[rows_by]
