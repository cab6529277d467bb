"""A workspace is seen by its own tokens alone: the predicate of every statement, and row-level security behind it."""

from collections.abc import Iterator

import psycopg
import pytest

from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.reader_role import NAME, ROLE, make_role, unsecured
from projections import PROJECTIONS
from tests.support.shop_rows import OLENA_PHONE, OTHER, SHOP, SHOP_ROWS, contact, deal, id_of, insert

CALLER = "phones @> ARRAY['+380671234567'] AND phones <> '{}'"
FIELD = "fields @> '{\"size\": \"L\"}'::jsonb AND fields <> '{}'"


@pytest.fixture(scope="module")
def dsn(database_url: str) -> str:
    """The other workspace has so many rows that each index is worth while."""
    many = range(10, 3010)
    contacts = [contact(f"c{n}", phones=(f"+38067{n}",)) for n in many]
    deals = [deal(n, n, contact_id=id_of(f"c{n}"), stage=f"s{n}", fields={"size": f"{n}"}) for n in many]
    with psycopg.connect(database_url, autocommit=True) as connection:
        insert(connection, SHOP, *SHOP_ROWS)
        insert(connection, OTHER, contact("Olena", phones=(OLENA_PHONE,)), *contacts, *deals)
        connection.execute("ANALYZE")
    return database_url


@pytest.fixture
def reader(dsn: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(dsn, autocommit=True, options=f"-c role={ROLE}") as connection:
        yield connection


def seen(connection: psycopg.Connection, workspace: str) -> int:
    connection.execute(NAME, [workspace])
    return len(connection.execute("SELECT 1 FROM read.contact").fetchall())


def test_without_a_predicate_only_the_named_workspace_is_there(reader: psycopg.Connection) -> None:
    assert reader.execute("SELECT count(*) FROM read.contact").fetchone() == (0,)
    assert (seen(reader, SHOP), seen(reader, OTHER), seen(reader, "")) == (3, 3001, 0)


def test_every_table_and_view_of_every_projection_is_secured(dsn: str, reader: psycopg.Connection) -> None:
    """A planted table without a policy and a planted view with its owner's rights are found, and secured at a start."""
    with psycopg.connect(dsn, autocommit=True) as owner:
        assert unsecured(owner) == []
        owner.execute("CREATE TABLE read.left_open (workspace uuid)")
        owner.execute("CREATE VIEW read.looks_through AS SELECT * FROM read.contact")
        assert unsecured(owner) == [("left_open", "r"), ("looks_through", "v")]
        migrate(dsn, PROJECTIONS.values())
        assert unsecured(owner) == []
        assert reader.execute("SELECT count(*) FROM read.looks_through").fetchone() == (0,)
        owner.execute("DROP VIEW read.looks_through; DROP TABLE read.left_open")


def test_the_reader_changes_nothing(reader: psycopg.Connection) -> None:
    for statement in ("DELETE FROM read.contact", "SELECT * FROM core.state", "CREATE TABLE read.mine (a int)"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            reader.execute(statement.encode())


def plan(connection: psycopg.Connection, table: str, condition: str) -> str:
    statement = f"EXPLAIN SELECT * FROM read.{table} WHERE workspace = '{OTHER}' AND {condition}"
    return "\n".join(line for (line,) in connection.execute(statement.encode()))


@pytest.mark.parametrize(
    ("table", "condition", "index"),
    [
        ("contact", CALLER, "phones"),
        ("deal", FIELD, "fields"),
        ("deal", f"contact_id = ANY (ARRAY['{id_of('Olena')}']::uuid[])", "contact_id"),
        ("deal", "(touched_at, deal_id) < ('2026-01-01 12:00:00.00002Z', gen_random_uuid())", "touched_at"),
        ("deal", "stage = 's7'", "stage"),
    ],
)
def test_indexes_serve_behind_row_level_security(
    reader: psycopg.Connection, table: str, condition: str, index: str
) -> None:
    """Postgres gives an index only to conditions that cannot tell anything of a row that may not be seen."""
    reader.execute(NAME, [OTHER])
    found = plan(reader, table, condition)
    assert f"{PROJECTIONS[table].table}_{index}" in found, found


def test_a_function_that_nobody_vouches_for_loses_its_index(dsn: str, reader: psycopg.Connection) -> None:
    reader.execute(NAME, [OTHER])
    index = f"{PROJECTIONS['contact'].table}_phones"
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("ALTER FUNCTION arraycontains(anyarray, anyarray) NOT LEAKPROOF")
        assert index not in plan(reader, "contact", CALLER)
        migrate(dsn, PROJECTIONS.values())
        assert index in plan(reader, "contact", CALLER)


def test_the_role_that_an_administrator_made_is_enough(fresh_database_url: str) -> None:
    """The bug: a row without columns is an empty tuple, so the role was taken for missing, and an ordinary user was
    refused although an administrator had done what the message says."""
    with psycopg.connect(fresh_database_url) as conn:
        conn.execute(f"CREATE ROLE ordinary NOLOGIN; GRANT {ROLE} TO ordinary; SET ROLE ordinary".encode())
        make_role(conn)
        conn.rollback()
