"""A table next to a projection's rows that is made from them: its totals, the values of its custom fields.

It has the name of the projection's table and a suffix, and a view that shows the one of the version that is read. Its
comment says what is in it, so that a version whose rows were taken in otherwise is noticed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.sql import SQL, Identifier

from crm.adapters.postgres.read_models import quote
from crm.adapters.postgres.reader_role import secured, shown
from crm.errors import Broken
from crm.projection import Projection

Connection = psycopg.Connection[Any]
Of = Callable[[Projection[Any]], str]


@dataclass(frozen=True)
class SideTable:
    """One kind of such tables."""

    suffix: str  # of the table's name
    kept: Callable[[Projection[Any]], bool]  # whether a projection has one
    about: Of  # what is in it; other words are another table
    definition: Of  # the statements that create it
    refusal: Of  # what is said where rows of this version are not in it
    fill: Callable[[Connection, Projection[Any]], None]  # from all rows that a rebuild made; it is empty before

    def table(self, projection: Projection[Any]) -> str:
        return f"{projection.qualified_name}{self.suffix}"

    def view(self, name: str) -> str:
        return f"read.{name}{self.suffix}"

    def ddl(self, projection: Projection[Any]) -> str:
        """Returns the statements that create the table, with its comment and its row-level security."""
        name = self.table(projection)
        comment = f"COMMENT ON TABLE {name} IS {quote(self.about(projection))};"
        return "\n".join([self.definition(projection), comment, secured(name)])

    def install(self, conn: Connection, projection: Projection[Any]) -> None:
        """Creates the table. Raises Broken when there are rows of this version that are not in it."""
        if not self.kept(projection):
            return
        name = self.table(projection)
        said = conn.execute("SELECT obj_description(to_regclass(%s), 'pg_class')", [name]).fetchone() or (None,)
        if said == (self.about(projection),):
            return
        if conn.execute(f"SELECT FROM {projection.qualified_name} LIMIT 1".encode()).fetchone() is not None:
            raise Broken(self.refusal(projection))
        conn.execute(f"DROP TABLE IF EXISTS {name} CASCADE".encode())
        conn.execute(self.ddl(projection).encode())

    def show(self, conn: Connection, name: str, schema: str, of_table: str) -> None:
        """Lets the view of a projection show what stands next to this table; where nothing does there is no view."""
        conn.execute(f"DROP VIEW IF EXISTS {self.view(name)}".encode())
        if self.exists(conn, schema, of_table):
            of = Identifier(schema, f"{of_table}{self.suffix}")
            view = Identifier("read", f"{name}{self.suffix}")
            conn.execute(SQL("CREATE VIEW {} AS SELECT * FROM {}").format(view, of))
            conn.execute(SQL(shown(self.view(name))))

    def is_shown(self, conn: Connection, name: str) -> bool:
        """Tells whether a projection has the view."""
        return conn.execute("SELECT to_regclass(%s) IS NOT NULL", [self.view(name)]).fetchone() == (True,)

    def exists(self, conn: Connection, schema: str, of_table: str) -> bool:
        found = conn.execute("SELECT to_regclass(%s) IS NOT NULL", [f"{schema}.{of_table}{self.suffix}"])
        return found.fetchone() == (True,)
