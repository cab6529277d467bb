"""A view goes on to a table whose columns have other types or collations."""

import psycopg
import pytest

from crm.adapters.postgres import views
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.views import Column, Served
from projections import PROJECTIONS


@pytest.mark.parametrize(
    ("before", "after", "type"),
    [
        ("text", 'text COLLATE "C"', 'text COLLATE "C"'),
        ('text COLLATE "C"', "text", "text"),
        ("bigint", "text", "text"),
        ("text", "text", "text"),
    ],
)
def test_a_column_may_have_another_type_or_collation(
    fresh_database_url: str, before: str, after: str, type: str
) -> None:
    """An upgrade once never showed a new version, and no other one after it: its column was sorted byte by byte."""
    migrate(fresh_database_url, PROJECTIONS.values())
    with psycopg.connect(fresh_database_url, autocommit=True) as conn:
        for version, kind in ((1, before), (2, after)):
            conn.execute(f"CREATE TABLE read.thing_v{version} (workspace uuid NOT NULL, name {kind})".encode())
            with conn.transaction():
                views.show(conn, "thing", Served("read", f"thing_v{version}"))
        assert views.served(conn, "thing") == Served("read", "thing_v2")
        assert views.columns(conn, "read.thing") == [Column("workspace", "uuid", False), Column("name", type, False)]
