"""Stores the outcome as tables of a scratch schema, for SQL and charts, until it is dropped."""

import re
from collections.abc import Sequence

from msgspec.structs import astuple
from psycopg import Connection, sql

from crm.moments import Clock, nearest
from crm.scalars import Id, Micros
from crm.whatif import MARK, PREFIX  # only schemas with such a comment are ever dropped
from services.operations.quarantine.formatting import iso
from services.operations.whatif.deal_outcomes import Compared, Share
from services.operations.whatif.stage_rules import Touched

DEALS = """
deal_id uuid PRIMARY KEY, number bigint NOT NULL, title text NOT NULL, opened_at timestamptz NOT NULL,
owner text NOT NULL, would_owner text NOT NULL, why text NOT NULL, would_why text NOT NULL,
stage text NOT NULL, would_stage text NOT NULL, touch_s double precision, would_touch_s double precision"""
OWNERS = "owner text PRIMARY KEY, deals bigint NOT NULL, would_deals bigint NOT NULL, touch_s double precision"
RULES = """
deal_id uuid NOT NULL, rule text NOT NULL, stage text NOT NULL, at timestamptz NOT NULL, why text NOT NULL,
done text[] NOT NULL, left_out text[] NOT NULL, task boolean NOT NULL, message boolean NOT NULL,
webhook boolean NOT NULL, PRIMARY KEY (deal_id, rule)"""
OURS = """
SELECT n.nspname, substr(obj_description(n.oid, 'pg_namespace'), %s) FROM pg_namespace AS n
WHERE obj_description(n.oid, 'pg_namespace') LIKE %s ORDER BY 1"""


def schema_of(name: str) -> str:
    """Returns the schema of a trial. Raises ValueError for an invalid name."""
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise ValueError(
            f"{name!r} cannot be the name of a trial: use lower-case letters, digits and _, starting with a letter."
        )
    return f"{PREFIX}{name}"


def about(label: str, since: Micros, until: Micros, clock: Clock) -> str:
    """Returns what was tried, as text for people."""
    dates = " by the dates of the facts" if clock is Clock.OCCURRED else ""
    return f"{label}, {iso(since)} to {iso(until)}{dates}"


def write(
    conn: Connection,
    name: str,
    workspace: Id,
    about: str,
    deals: Sequence[Compared],
    owners: Sequence[Share],
    touched: Sequence[Touched] = (),
) -> str:
    """Writes the tables in one transaction, replacing an earlier trial of this name. Returns the schema's name."""
    schema = schema_of(name)
    with conn.transaction():
        drop(conn, name)
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
        said = sql.Literal(f"{MARK}{about}\n{workspace}")
        conn.execute(sql.SQL("COMMENT ON SCHEMA {} IS {}").format(sql.Identifier(schema), said))
        create_table(conn, schema, "deal", DEALS, [with_timestamp(astuple(row)) for row in deals])
        create_table(conn, schema, "owner", OWNERS, [astuple(row) for row in owners])
        create_table(conn, schema, "stage_rule", RULES, [table_row(row) for row in touched])
    return schema


def with_timestamp(row: tuple[object, ...]) -> tuple[object, ...]:
    """Returns the row with its time as Postgres takes it."""
    micros = row[3]
    assert isinstance(micros, int)
    return (*row[:3], nearest(Micros(micros)), *row[4:])


def table_row(row: Touched) -> tuple[object, ...]:
    """Returns what a stage rule did, with its time as Postgres takes it."""
    said = [list(row.done), list(row.left_out), row.task, row.message, row.webhook]
    return (row.deal_id, row.rule, row.stage, nearest(row.at), row.why, *said)


def create_table(conn: Connection, schema: str, table: str, columns: str, rows: Sequence[tuple[object, ...]]) -> None:
    target = sql.Identifier(schema, table)
    conn.execute(sql.SQL("CREATE TABLE {} ({})").format(target, sql.SQL(columns)))
    with conn.cursor().copy(sql.SQL("COPY {} FROM STDIN").format(target)) as copy:
        for row in rows:
            copy.write_row(row)


def drop(conn: Connection, name: str) -> bool:
    """Drops a trial. Returns whether there was one. Raises ValueError when `crm whatif` did not create the schema."""
    schema = schema_of(name)
    if schema in dict(find_trials(conn)):
        conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(schema)))
        return True
    if conn.execute("SELECT to_regnamespace(%s)", [schema]).fetchone() != (None,):
        raise ValueError(f"The schema {schema} was not created by `crm whatif` and is left alone: use another name.")
    return False


def find_trials(conn: Connection) -> list[tuple[str, str]]:
    """Returns the schema and description of every stored trial."""
    found = conn.execute(OURS, [len(MARK) + 1, MARK + "%"]).fetchall()
    return [(schema, about.partition("\n")[0]) for schema, about in found]
