"""Logins for SQL: each reads the views of one workspace and writes nothing.

The workspace is in the login's name, and the policies compare rows with `session_user`, which no statement of the
session can change. A login is a member of nothing but `potik_analyst`, so `SET ROLE` leads nowhere else.
"""

import contextlib
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.sql import SQL, Identifier, Literal

from crm.adapters.postgres.reader_role import ANALYSTS
from crm.envelope import now
from crm.errors import Broken
from crm.scalars import Id

NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")  # 63 characters are what Postgres takes; the workspace needs 43
SESSION_PREFIX = "session-"  # of logins that last as long as one session; no given name has a hyphen
SESSION_HOURS = 24  # after which a login whose process was killed is dropped
KEPT = ("sslmode", "sslrootcert")  # parameters of the owner's address that a login's has too
LEFT = f"""
SELECT rolname::text FROM pg_roles AS r WHERE rolname ~ '^potik_sql_[0-9a-f]{{32}}_{SESSION_PREFIX}'
AND rolvaliduntil < now() AND NOT EXISTS (SELECT FROM pg_stat_activity WHERE usename = r.rolname)"""
END_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
DENIED = (
    "The user of DATABASE_URL may not make logins, and `crm sql` needs one. Nothing was changed. Let an administrator "
    "run `ALTER ROLE <user of DATABASE_URL> CREATEROLE`, then start the roles again."
)
Connection = psycopg.Connection[Any]


@contextmanager
def session_login(dsn: str, workspace: Id, timeout: int) -> Iterator[str]:
    """Yields the address of a login that is dropped at the end. Raises Broken."""
    name, end = (
        f"{SESSION_PREFIX}{secrets.token_hex(4)}",
        datetime.fromtimestamp(now() // 1_000_000, UTC) + timedelta(hours=SESSION_HOURS),
    )
    with connected(dsn) as conn:
        for role in [role for (role,) in conn.execute(LEFT)]:
            drop(conn, role)
        password = make(conn, workspace, name, timeout, end.isoformat())
    try:
        yield address(dsn, login(workspace, name), password)
    finally:
        with connected(dsn) as conn:
            drop(conn, login(workspace, name))


def lasting_login(dsn: str, workspace: Id, name: str, timeout: int, replace: bool = False) -> str:
    """Makes a login and returns its address; its password is stored nowhere. `replace`: an existing one gets a new
    password. Raises ValueError for a bad name and for an existing login, Broken."""
    if not NAME.fullmatch(name):
        raise ValueError(
            f"{name!r} cannot name a login: it takes small Latin letters, digits and _, a letter first, at most 20. "
            "Nothing was changed."
        )
    role = login(workspace, name)
    with connected(dsn) as conn:
        if exists(conn, role):
            if not replace:
                raise ValueError(
                    f"The login {name} exists, and its password is stored nowhere. Nothing was changed. Give it a new "
                    "password with --new-password (the former one stops working), or choose another name with --login."
                )
            drop(conn, role)
        password = make(conn, workspace, name, timeout, "infinity")
    return address(dsn, role, password)


def revoke(dsn: str, workspace: Id, name: str) -> None:
    """Ends the sessions of a login and drops it. Raises ValueError when there is none."""
    role = login(workspace, name)
    with connected(dsn) as conn:
        if not exists(conn, role):
            raise ValueError(f"This workspace has no login {name}. Nothing was changed.")
        drop(conn, role)


def login(workspace: Id, name: str) -> str:
    """Returns the login's name in Postgres, where it is one of the whole server."""
    return f"potik_sql_{workspace.replace('-', '')}_{name}"


def connected(dsn: str) -> Connection:
    return psycopg.connect(dsn, autocommit=True, application_name="crm sql")


def exists(conn: Connection, role: str) -> bool:
    return conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is not None


def make(conn: Connection, workspace: Id, name: str, timeout: int, until: str) -> str:
    """Makes a login and returns its password, of which the server gets the hash alone. Raises Broken."""
    if not exists(conn, ANALYSTS):
        raise Broken(DENIED)
    role, password = login(workspace, name), secrets.token_urlsafe(24)
    hashed = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    statement = SQL("CREATE ROLE {} LOGIN PASSWORD {} VALID UNTIL {} IN ROLE {}")
    settings = {
        "default_transaction_read_only": "on",
        "search_path": "read",
        "statement_timeout": f"{timeout}s",
        "timezone": "UTC",
    }
    try:
        with conn.transaction():
            conn.execute(statement.format(Identifier(role), Literal(hashed), Literal(until), Identifier(ANALYSTS)))
            for setting, value in settings.items():
                conn.execute(SQL("ALTER ROLE {} SET {} = {}").format(Identifier(role), SQL(setting), Literal(value)))
    except psycopg.errors.InsufficientPrivilege:
        raise Broken(DENIED) from None
    return password


def drop(conn: Connection, role: str) -> None:
    """Ends the login's sessions and drops it, with what it may have made."""
    conn.execute(END_SESSIONS, [role])
    with contextlib.suppress(psycopg.errors.InsufficientPrivilege):  # of an owner that is no superuser
        conn.execute(SQL("DROP OWNED BY {}").format(Identifier(role)))
    conn.execute(SQL("DROP ROLE IF EXISTS {}").format(Identifier(role)))


def address(dsn: str, user: str, password: str) -> str:
    """Returns the owner's address with another user."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items() if value is not None}
    host, port = parts.get("host", "localhost"), parts.get("port", "5432")
    given = {name: parts[name] for name in KEPT if name in parts}
    if host.startswith("/"):  # the folder of a Unix socket
        host, given = "", {"host": host, **given}
    extra = f"?{urlencode(given)}" if given else ""
    return f"postgresql://{user}:{quote(password, safe='')}@{host}:{port}/{quote(parts.get('dbname', ''))}{extra}"
