"""Restores a backup into a new database and keeps the present one under another name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from crm.adapters.postgres.reader_role import make_role
from crm.errors import Broken
from services.operations.backup import backup
from services.operations.backup.backup import DUMP, Backup
from services.operations.backup.postgres_programs import libpq_environment, program, run

JOBS = 2  # tables and indexes that are restored at once
SESSIONS = """
SELECT coalesce(nullif(application_name, ''), 'a session') || coalesce(' from ' || host(client_addr), '')
FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' ORDER BY 1"""
Connection = psycopg.Connection[Any]


def restore(dsn: str, folder: Path) -> tuple[Backup, str]:
    """Returns the backup's manifest, and the name under which the present database is kept (empty if there was none).

    Raises RuntimeError while sessions are connected, Broken when the backup is damaged. The present database is not
    touched before the last step, two renames in one transaction. Can be interrupted and run again.
    """
    taken = backup.read(folder)
    name = psycopg.conninfo.conninfo_to_dict(dsn).get("dbname")
    if not isinstance(name, str):
        raise ValueError("The address names no database. Nothing was changed: add one to DATABASE_URL.")
    new = f"{name}_restoring"
    maintenance = psycopg.conninfo.make_conninfo(dsn, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as conn:
        major = conn.info.server_version // 10_000
        if major < taken.postgres_major:
            raise Broken(f"The backup is of Postgres {taken.postgres}, the server is {major}. Nothing was changed.")
        require_unused(conn, name)
        restore_into(conn, dsn, new, folder, program("pg_restore", max(major, taken.postgres_major)))
        require_unused(conn, name)  # sessions may have connected meanwhile
        kept = swap(conn, name, new)
    return taken, kept


def require_unused(conn: Connection, name: str) -> None:
    """Raises RuntimeError with the sessions that are connected."""
    sessions = [session for (session,) in conn.execute(SESSIONS, [name])]
    if sessions:
        raise RuntimeError(
            f"The database {name} is in use: {', '.join(sessions)}. It was not changed. "
            "Stop the roles (`crm down`, or their containers), then run it again."
        )


def restore_into(conn: Connection, dsn: str, new: str, folder: Path, pg_restore: str) -> None:
    """Creates the new database from the dump. Drops it when that fails, and what a killed run left before."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(new))
    conn.execute(drop)
    try:
        make_role(conn)  # roles belong to the server and are in no database's dump
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(new)))
        command = [pg_restore, "--exit-on-error", "--no-owner", f"--jobs={JOBS}", f"--dbname={new}", str(folder / DUMP)]
        run(
            command,
            libpq_environment(dsn, dbname=new),
            "The backup could not be restored; the database was not changed.",
        )
        with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname=new), autocommit=True) as restored:
            forget_comparison(restored)
            restored.execute("ANALYZE")
    except BaseException:
        conn.execute(drop)
        raise


def forget_comparison(conn: Connection) -> None:
    """Empties the table that says that this database was compared with Kafka's journal: another one was."""
    if conn.execute("SELECT to_regclass('core.compared')").fetchone() != (None,):
        conn.execute("TRUNCATE core.compared")


def swap(conn: Connection, name: str, new: str) -> str:
    """Renames both databases, or none, and returns the old one's new name. Postgres refuses while in use."""
    kept = f"{name}_before_{datetime.now(UTC):%Y%m%dt%H%M%S}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with conn.transaction():
        exists = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if exists:
            conn.execute(rename.format(sql.Identifier(name), sql.Identifier(kept)))
        conn.execute(rename.format(sql.Identifier(new), sql.Identifier(name)))
    return kept if exists else ""
