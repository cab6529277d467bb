"""Open deals of a caller come from the index by contact, however many deals the workspace has."""

import psycopg
import pytest

from api.engine import Engine
from api.sql.reads import COUNTRIES
from crm.adapters.postgres.reader_role import NAME, ROLE
from projections import PROJECTIONS
from tests.bench.lookups import CALLER, fill_database
from tests.support.graphql_server import FakeTokens
from tests.support.shop_rows import SHOP


def test_no_deal_of_others_is_looked_at(fresh_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Regression: the statement scanned all deals of the workspace, in order, for each unknown caller:
    at 200,000 deals a look-up took 50 ms."""
    monkeypatch.setitem(COUNTRIES, SHOP, "UA")
    fill_database(fresh_database_url, SHOP, 20_000)
    plan = Engine().prepare(CALLER, None, FakeTokens().known["crm_live_shop"])
    variables = plan.variables({"phone": "099 123 45 67"})
    assert variables
    statement = plan.statement(variables)
    assert statement
    with psycopg.connect(fresh_database_url) as connection:
        connection.execute(NAME, [SHOP])
        connection.execute(f"SET ROLE {ROLE}".encode())
        found = connection.execute(b"EXPLAIN (GENERIC_PLAN) " + statement.text)
        lines = [line for (line,) in found if f" on {PROJECTIONS['deal'].table}" in line]
    assert len(lines) == 2
    assert all("_contact_id_touched_at on " in line for line in lines), lines
