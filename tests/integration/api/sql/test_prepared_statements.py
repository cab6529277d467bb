"""Prepared statements keep working when a release adds a column to a view."""

import psycopg
import pytest

from projections import PROJECTIONS
from tests.support.graphql_server import api_server

AGAIN = 12  # more often than anybody waits before a statement is prepared: psycopg 3.3 does the fifth time
DEAL = PROJECTIONS["deal"]
GROWS = f"""
ALTER TABLE {DEAL.qualified_name} ADD COLUMN of_tomorrow text;
CREATE OR REPLACE VIEW read.deal AS SELECT * FROM {DEAL.qualified_name};"""
QUERIES = [
    "{ deal(number: 7) { number title } }",
    "{ deals(first: 5) { nodes { number contact { name } } pageInfo { endCursor } } }",
    "{ contacts(first: 3, orderBy: CREATED_AT_ASC) { nodes { name phones } } deals(first: 1) { nodes { stage } } }",
]


def test_a_prepared_select_star_breaks_when_a_column_is_added(fresh_database_url: str) -> None:
    """psycopg 3.3 on Postgres 18: the statement then fails on its connection permanently, and on no other."""
    with psycopg.connect(fresh_database_url, autocommit=True) as reader:
        for _ in range(AGAIN):
            reader.execute(f"SELECT * FROM {DEAL.qualified_name}".encode()).fetchall()
        with psycopg.connect(fresh_database_url, autocommit=True) as release:
            release.execute(GROWS.encode())
        for _ in range(2):
            with pytest.raises(psycopg.errors.FeatureNotSupported, match="cached plan must not change result type"):
                reader.execute(f"SELECT * FROM {DEAL.qualified_name}".encode())


def test_the_api_answers_as_before(fresh_database_url: str) -> None:
    """It names the columns that it wants: api/sql/statements.py."""
    with api_server(fresh_database_url) as api:
        before = [[api.data(query) for query in QUERIES] for _ in range(AGAIN)]
        with psycopg.connect(fresh_database_url, autocommit=True) as release:
            release.execute(GROWS.encode())
        assert [api.data(query) for query in QUERIES] == before[0]
        assert before == [before[0]] * AGAIN
