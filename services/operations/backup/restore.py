"""A backup into a new database beside the present one, which is kept under another name."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from crm.adapters.postgres.reader_role import make_role
from crm.errors import Broken
from services.operations.backup import backup
from services.operations.backup.backup import DUMP, Backup
from services.operations.backup.postgres_programs import program, run, surroundings

JOBS = 2  # tables and indexes that are restored at once
SESSIONS = """
SELECT coalesce(nullif(application_name, ''), 'a session') || coalesce(' from ' || host(client_addr), '')
FROM pg_stat_activity WHERE datname = %s AND backend_type = 'client backend' ORDER BY 1"""
Connection = psycopg.Connection[Any]


def restore(dsn: str, folder: Path) -> tuple[Backup, str]:
    """Gives the backup, and the name under which the present database is kept (none when there was none).

    Raises RuntimeError while anybody is connected, Broken when the backup is damaged. Until the last step, two renames
    in one transaction, the present database is as it was; whatever ends it, it can be run again.
    """
    taken = backup.read(folder)
    name = psycopg.conninfo.conninfo_to_dict(dsn).get("dbname")
    if not isinstance(name, str):
        raise ValueError("The address names no database. Nothing was changed: complete DATABASE_URL.")
    new = f"{name}_restoring"
    maintenance = psycopg.conninfo.make_conninfo(dsn, dbname="postgres")
    with psycopg.connect(maintenance, autocommit=True) as conn:
        major = conn.info.server_version // 10_000
        if major < taken.postgres_major:
            raise Broken(f"The backup is of Postgres {taken.postgres}, the server has {major}. Nothing was changed.")
        alone(conn, name)
        fill(conn, dsn, new, folder, program("pg_restore", max(major, taken.postgres_major)))
        alone(conn, name)  # who has come meanwhile
        kept = swap(conn, name, new)
    return taken, kept


def alone(conn: Connection, name: str) -> None:
    """Raises RuntimeError with those who are connected."""
    told = [who for (who,) in conn.execute(SESSIONS, [name])]
    if told:
        raise RuntimeError(
            f"The database {name} is in use: {', '.join(told)}. It was not changed. "
            "Stop the roles (`crm down`, or their containers), then run it again."
        )


def fill(conn: Connection, dsn: str, new: str, folder: Path, pg_restore: str) -> None:
    """Dropped again when it fails; what a killed run left is dropped first."""
    drop = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(new))
    conn.execute(drop)
    try:
        make_role(conn)  # a backup is of one database, and a role is of the whole server
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(new)))
        command = [pg_restore, "--exit-on-error", "--no-owner", f"--jobs={JOBS}", f"--dbname={new}", str(folder / DUMP)]
        run(command, surroundings(dsn, dbname=new), "The backup could not be restored; the database is as it was.")
        with psycopg.connect(psycopg.conninfo.make_conninfo(dsn, dbname=new), autocommit=True) as filled:
            forget_comparison(filled)
            filled.execute("ANALYZE")
    except BaseException:
        conn.execute(drop)
        raise


def forget_comparison(conn: Connection) -> None:
    """The table says that the database was compared with the journal in Kafka: that was another database."""
    if conn.execute("SELECT to_regclass('core.compared')").fetchone() != (None,):
        conn.execute("TRUNCATE core.compared")


def swap(conn: Connection, name: str, new: str) -> str:
    """Both or none. Postgres refuses it while anybody is connected."""
    kept = f"{name}_before_{datetime.now(UTC):%Y%m%dt%H%M%S}"
    rename = sql.SQL("ALTER DATABASE {} RENAME TO {}")
    with conn.transaction():
        there = conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone()
        if there:
            conn.execute(rename.format(sql.Identifier(name), sql.Identifier(kept)))
        conn.execute(rename.format(sql.Identifier(new), sql.Identifier(name)))
    return kept if there else ""
