"""The role that reads: it owns nothing, and row-level security shows it the rows of one workspace at a time."""

from typing import Any

import psycopg
import structlog
from psycopg import sql

from crm.errors import Broken

log = structlog.get_logger()
ROLE = "potik_reader"
ANALYSTS = "potik_analyst"  # what the logins of `crm sql` are members of: crm.adapters.postgres.analysts
SETTING = "app.workspace"
NAME = f"SELECT set_config('{SETTING}', %s, false)".encode()  # says whose rows are shown from now on
# `nullif`: a setting that was local to a transaction leaves '' behind. Without a workspace there are no rows at all.
OWN = f"workspace = nullif(current_setting('{SETTING}', true), '')::uuid"
DENIED = (
    f"The role {ROLE} is missing, and this user may not make it. Nothing was changed. Let an administrator run "
    f"`CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO <user of DATABASE_URL>;`, then start again."
)
# The workspace of an analyst's login is in its name, which the session cannot change. No rows for any other name.
BOUND = "workspace = substring(session_user FROM '^potik_sql_([0-9a-f]{32})_')::uuid"
# Under row-level security an index serves only what cannot tell a value apart by failing. Postgres says so of comparing
# and not of these, which fail on no value either: they answer true or false. It is said in this database alone.
SILENT = ("arraycontains(anyarray, anyarray)", "jsonb_contains(jsonb, jsonb)")
Connection = psycopg.Connection[Any]


def make_role(conn: Connection) -> None:
    """A role is of the whole server: another database may have made it, also this very moment. Raises Broken.

    Without the role of the analysts there is no `crm sql`, and everything else works.
    """
    try:
        create(conn, ROLE)
    except psycopg.errors.InsufficientPrivilege:
        raise Broken(DENIED) from None
    try:
        create(conn, ANALYSTS)
    except psycopg.errors.InsufficientPrivilege:
        log.warning("`crm sql` will not work: this user may not make its role", role=ANALYSTS)
    (member,) = conn.execute("SELECT pg_has_role(%s, 'MEMBER')", [ROLE]).fetchone() or (False,)
    if not member:
        conn.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(ROLE)))


def create(conn: Connection, role: str) -> None:
    """Creates a role without login if it does not exist."""
    try:
        if conn.execute("SELECT FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:  # () is a row
            with conn.transaction():
                conn.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(role)))
    except (psycopg.errors.DuplicateObject, psycopg.errors.UniqueViolation):
        pass


def vouch(conn: Connection) -> None:
    """Only a superuser may: without it all answers are the same, and look-ups by phone or custom field are slow."""
    for function in SILENT:
        query = "SELECT proleakproof FROM pg_proc WHERE oid = to_regprocedure(%s)"
        if conn.execute(query, [function]).fetchone() == (False,):
            try:
                with conn.transaction():
                    conn.execute(f"ALTER FUNCTION {function} LEAKPROOF".encode())
            except psycopg.errors.InsufficientPrivilege:
                log.warning("look-ups by phone will be slow: only a superuser may mark it leakproof", function=function)


def secured(table: str) -> str:
    """Once for each table: nobody but its owner reads a row of a workspace that the session does not name; an analyst
    reads those of the login's workspace, whatever the session names."""
    return f"""DO $$ BEGIN
  IF NOT (SELECT relrowsecurity FROM pg_class WHERE oid = '{table}'::regclass) THEN
    CREATE POLICY own_workspace ON {table} FOR SELECT TO {ROLE} USING ({OWN});
    ALTER TABLE {table} ENABLE ROW LEVEL SECURITY;
    GRANT SELECT ON {table} TO {ROLE};
  END IF;
  IF to_regrole('{ANALYSTS}') IS NOT NULL AND NOT EXISTS (
    SELECT FROM pg_policy WHERE polrelid = '{table}'::regclass AND polname = 'bound_workspace') THEN
    ALTER POLICY own_workspace ON {table} TO {ROLE};  -- it was for everybody once
    CREATE POLICY bound_workspace ON {table} FOR SELECT TO {ANALYSTS} USING ({BOUND});
    GRANT SELECT ON {table} TO {ANALYSTS};
  END IF;
END $$;"""


def shown(view: str) -> str:
    """A view checks the rights of its reader: its owner's rights would bypass every policy."""
    return f"""ALTER VIEW {view} SET (security_invoker = true); GRANT SELECT ON {view} TO {ROLE};
DO $$ BEGIN
  IF to_regrole('{ANALYSTS}') IS NOT NULL THEN GRANT SELECT ON {view} TO {ANALYSTS}; END IF;
END $$;"""


def unsecured(conn: Connection) -> list[tuple[str, str]]:
    """Tables (r) and views (v, m) in `read` that would show a row of another workspace to a role that reads, or that
    analysts may not read yet."""
    query = f"""
        SELECT c.relname::text, c.relkind::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
        CROSS JOIN (SELECT to_regrole('{ANALYSTS}') AS analysts) AS r
        WHERE n.nspname = 'read' AND (
          c.relkind IN ('r', 'p') AND NOT (c.relrowsecurity
            AND EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'own_workspace')
            AND (analysts IS NULL
              OR EXISTS (SELECT FROM pg_policy WHERE polrelid = c.oid AND polname = 'bound_workspace')))
          OR c.relkind = 'v' AND NOT (coalesce('security_invoker=true' = ANY (c.reloptions), false)
            AND (analysts IS NULL OR has_table_privilege(analysts, c.oid, 'SELECT')))
          OR c.relkind = 'm')
        ORDER BY 1"""
    return list(conn.execute(query.encode()))
