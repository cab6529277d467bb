"""Logins of `crm sql`: each sees the rows of its own workspace in every view, and can change nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres import analysts
from crm.adapters.postgres.analysts import lasting_login, login, revoke, session_login
from crm.adapters.postgres.migrations import migrate
from crm.adapters.postgres.reader_role import NAME, ROLE, unsecured
from crm.adapters.postgres.views import EMPTY
from crm.projection import Projection
from crm.scalars import Id
from crm.text.phonetics import COLUMN
from projections import PROJECTIONS
from tests.support.shop_rows import OTHER, SHOP

LONG = {"timestamptz": "timestamp with time zone"}
LOGINS = "SELECT count(*) FROM pg_roles WHERE rolname LIKE %s"


def plant(conn: psycopg.Connection, projection: Projection[Any], workspace: str) -> None:
    """Inserts a row of blanks whose key is the workspace."""
    values = {c.name: EMPTY[LONG.get(c.type, c.type)] for c in projection.columns if c.required}
    values |= {projection.key: workspace, "workspace": workspace}
    names, given = SQL(", ").join(map(Identifier, values)), SQL(", ").join(SQL("%s") for _ in values)
    statement = SQL("INSERT INTO read.{} ({}) VALUES ({})").format(Identifier(projection.table), names, given)
    conn.execute(statement, [*values.values()])


@pytest.fixture(scope="module")
def dsn(database_url: str) -> str:
    """Both workspaces have a row in every table."""
    with psycopg.connect(database_url, autocommit=True) as owner:
        for projection in PROJECTIONS.values():
            for workspace in (SHOP, OTHER):
                plant(owner, projection, workspace)
    return database_url


@pytest.fixture
def analyst(dsn: str) -> Iterator[psycopg.Connection]:
    with session_login(dsn, Id(SHOP), 60) as address, psycopg.connect(address, autocommit=True) as conn:
        yield conn


def owners(conn: psycopg.Connection, table: str) -> list[str]:
    """The workspaces whose rows are seen."""
    return [str(found) for (found,) in conn.execute(f"SELECT workspace FROM {table} ORDER BY 1".encode())]


@pytest.mark.parametrize("name", PROJECTIONS)
def test_every_view_and_its_table_show_the_rows_of_the_workspace(analyst: psycopg.Connection, name: str) -> None:
    assert owners(analyst, name) == owners(analyst, f"read.{PROJECTIONS[name].table}") == [SHOP]


@pytest.mark.parametrize(
    "trick",
    [
        f"SET app.workspace = '{OTHER}'",
        f"SELECT set_config('app.workspace', '{OTHER}', false)",
        f"SET ROLE potik_analyst; SET app.workspace = '{OTHER}'",
        "RESET ROLE; RESET SESSION AUTHORIZATION; RESET ALL; DISCARD ALL",
        "SET default_transaction_read_only = off; SET search_path = read, core",
    ],
)
def test_nothing_that_a_session_may_set_shows_another_workspace(analyst: psycopg.Connection, trick: str) -> None:
    for statement in trick.split("; "):
        analyst.execute(statement.encode())
    for projection in PROJECTIONS.values():
        assert owners(analyst, f"read.{projection.name}") == [SHOP]


@pytest.mark.parametrize("statement", [f"SET ROLE {ROLE}", "SET ROLE postgres", "SET SESSION AUTHORIZATION postgres"])
def test_no_other_role_can_be_taken(analyst: psycopg.Connection, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute(statement.encode())
    assert owners(analyst, "deal") == [SHOP]


def test_without_row_security_there_is_an_error_instead_of_rows(analyst: psycopg.Connection) -> None:
    analyst.execute("SET row_security = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="affected by row-level security"):
        analyst.execute("SELECT * FROM deal")


def test_statistics_show_nothing_of_another_workspace(dsn: str, analyst: psycopg.Connection) -> None:
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute("ANALYZE")
    assert analyst.execute("SELECT count(*) FROM pg_stats WHERE schemaname = 'read'").fetchone() == (0,)


@pytest.mark.parametrize(
    ("statement", "error"),
    [
        ("DELETE FROM deal", psycopg.errors.InsufficientPrivilege),
        ("CREATE TABLE read.mine (a int)", psycopg.errors.ReadOnlySqlTransaction),
        ("SELECT * FROM core.state", psycopg.errors.InsufficientPrivilege),
        ("SELECT * FROM core.checkpoint", psycopg.errors.InsufficientPrivilege),
        ("SELECT * FROM core.history", psycopg.errors.InsufficientPrivilege),
        ("SELECT * FROM find.deal('{}', '{}', '{}', 1)", psycopg.errors.InsufficientPrivilege),
    ],
)
def test_an_analyst_writes_nothing(
    dsn: str, analyst: psycopg.Connection, statement: str, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        analyst.execute(statement.encode())
    analyst.execute("SET default_transaction_read_only = off")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        analyst.execute(statement.encode())
    with psycopg.connect(dsn) as owner:
        assert owners(owner, "read.deal") == [SHOP, OTHER]


def test_a_statement_ends_at_the_time_out(dsn: str) -> None:
    with session_login(dsn, Id(SHOP), 1) as address, psycopg.connect(address) as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("1s",)


def test_the_login_of_a_session_is_gone_afterwards_with_what_it_made(dsn: str) -> None:
    with session_login(dsn, Id(SHOP), 60) as address, psycopg.connect(address, autocommit=True) as conn:
        conn.execute("SET default_transaction_read_only = off")
        conn.execute("SELECT lo_create(4711)")
    with psycopg.connect(dsn) as owner:
        assert owner.execute(LOGINS, [login(Id(SHOP), "%")]).fetchone() == (0,)
        assert owner.execute("SELECT count(*) FROM pg_largeobject_metadata").fetchone() == (0,)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)


def test_the_login_of_a_killed_process_is_dropped_by_the_next(dsn: str) -> None:
    with analysts.connected(dsn) as owner:
        analysts.make(owner, Id(OTHER), f"{analysts.SESSION_PREFIX}killed", 60, "2026-01-01")
    with session_login(dsn, Id(SHOP), 60), psycopg.connect(dsn) as owner:
        assert owner.execute(LOGINS, [login(Id(OTHER), "%")]).fetchone() == (0,)


@contextmanager
def bi_tool(dsn: str, name: str) -> Iterator[str]:
    address = lasting_login(dsn, Id(SHOP), name, 60)
    yield address
    with psycopg.connect(dsn) as owner:
        left = owner.execute("SELECT FROM pg_roles WHERE rolname = %s", [login(Id(SHOP), name)]).fetchone()
    if left:
        revoke(dsn, Id(SHOP), name)


def test_a_lasting_login_is_made_once_and_can_be_revoked(dsn: str) -> None:
    with bi_tool(dsn, "metabase") as address:
        with pytest.raises(ValueError, match="The login metabase exists, and its password is stored nowhere"):
            lasting_login(dsn, Id(SHOP), "metabase", 60)
        with psycopg.connect(address, autocommit=True) as conn:
            assert owners(conn, "deal") == [SHOP]
            newer = lasting_login(dsn, Id(SHOP), "metabase", 60, replace=True)
            with pytest.raises(psycopg.OperationalError):
                conn.execute("SELECT 1")  # its session was ended
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(address)
        with psycopg.connect(newer) as conn:
            assert owners(conn, "deal") == [SHOP]
        revoke(dsn, Id(SHOP), "metabase")
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(newer)
        with pytest.raises(ValueError, match="has no login metabase"):
            revoke(dsn, Id(SHOP), "metabase")


@pytest.mark.parametrize("name", ["", "Metabase", "session-1", "a" * 21, 'x"; DROP TABLE'])
def test_a_name_that_postgres_would_cut_or_misread_is_refused(dsn: str, name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a login"):
        lasting_login(dsn, Id(SHOP), name, 60)


def test_a_database_from_before_there_were_analysts_is_brought_up_to_date(dsn: str) -> None:
    """Its policies held for everybody, so an analyst's SET would have chosen the workspace."""
    table = PROJECTIONS["deal"].table
    with psycopg.connect(dsn, autocommit=True) as owner:
        owner.execute(
            f"DROP POLICY bound_workspace ON read.{table}; ALTER POLICY own_workspace ON read.{table} TO PUBLIC"
        )
        owner.execute("REVOKE SELECT ON read.note FROM potik_analyst")
        assert unsecured(owner) == [(table, "r"), ("note", "v")]
        migrate(dsn, PROJECTIONS.values())
        assert unsecured(owner) == []
    with session_login(dsn, Id(SHOP), 60) as address, psycopg.connect(address, autocommit=True) as conn:
        conn.execute(NAME, [OTHER])
        assert owners(conn, "deal") == [SHOP]
        assert owners(conn, "note") == [SHOP]


def test_the_columns_of_a_view_are_those_of_its_row(analyst: psycopg.Connection) -> None:
    for projection in PROJECTIONS.values():
        found = analyst.execute(f"SELECT * FROM {projection.name}".encode()).description or []
        names = [column.name for column in found if column.name != COLUMN]  # of search; a migration may add it
        assert names == ["workspace", *(c.name for c in projection.columns)]
