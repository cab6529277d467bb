"""A subscription as one SQL statement: the results for many changed rows, and the position of the projection."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from graphql import GraphQLError
from graphql.execution.values import VariableValues
from psycopg import AsyncRawCursor

from api.live.subscriptions.feed import CURSOR, LEFT, Feed
from api.live.subscriptions.row_filter import Values
from api.sql.database import translate_errors
from api.sql.plan.plan import Plan
from api.sql.plan.selection import Selection
from api.sql.plan.statement import WORKSPACE, NotPlannable, Site, Writer, parameters, quote
from api.sql.pool import Pool
from crm.topics import JOURNAL

ROW = "t"
positions = msgspec.json.Decoder(dict[int, int]).decode
values_of = msgspec.json.Decoder(dict[str, Any]).decode


class Found(NamedTuple):
    """`bodies`: the result of each row that the feed includes. `seen`: the position up to which they are current.

    `values`: what filters compare, of each row that exists.
    """

    seen: dict[int, int]
    bodies: dict[str, bytes]
    values: dict[str, Values]


class CompiledStatement(NamedTuple):
    """A statement with its parameters, to which `read` adds the keys."""

    text: bytes
    parameters: list[str]

    async def read(self, pool: Pool, keys: Sequence[str]) -> Found:
        """Reads these rows. Raises what api.sql.database.rows raises."""
        with translate_errors():
            async with pool.reading(self.parameters[0]) as connection:
                cursor = AsyncRawCursor(connection)
                await cursor.execute(self.text, [*self.parameters, f"{{{','.join(keys)}}}"])
                rows = cursor.pgresult
                assert rows
                value = rows.get_value
                bodies = {(value(n, 1) or b"").decode(): value(n, 2) for n in range(rows.ntuples)}
                compared = {(value(n, 1) or b"").decode(): value(n, 3) for n in range(rows.ntuples)}
                seen = value(0, 0)
        return Found(
            positions(seen) if seen else {},
            {key: body for key, body in bodies.items() if body},
            {key: values_of(text) for key, text in compared.items() if text},
        )


def compile_statement(
    plan: Plan, variables: VariableValues, feed: Feed, workspace: str, columns: Sequence[str] = ()
) -> CompiledStatement | None:
    """Compiles a subscription's selection. Returns None when only the resolvers can answer it.

    `columns`: those that the filters of its subscribers compare.
    """
    projection, root = feed.projection, plan.schema.subscription_type
    assert plan.operation and root

    def row(site: Site) -> str:
        return f"CASE WHEN {ROW}.workspace IS NOT NULL THEN {site.object(ROW)} END"

    def change(site: Site) -> str:
        left = quote(LEFT) if columns else f"{ROW}.workspace IS NULL"
        return site.object(ROW, {"cursor": quote(CURSOR), "id": "k.key", "left": left, projection.name: row})

    writer = Writer(Selection(plan.schema, plan.fragments, variables))
    parts = dict.fromkeys(root.fields, change)
    try:
        data = writer.object(root, [plan.operation.selection_set], ROW, parts)
        given = parameters(writer.reads, workspace, variables)
    except (NotPlannable, GraphQLError):
        return None
    keys = writer.parameter(lambda _: "")
    wanted = "" if feed.only == "true" else f"CASE WHEN {feed.only} THEN "
    pairs = ", ".join(f"{quote(name)} : {ROW}.{name}" for name in columns)
    compared = f"CASE WHEN {ROW}.workspace IS NOT NULL THEN json_object({pairs} RETURNING json)::text END"
    text = (
        "SELECT CASE WHEN k.n = 1 THEN (SELECT json_object_agg(partition, position + 1)::text FROM core.checkpoint "
        f"WHERE consumer = {quote(projection.table)} AND topic = {quote(JOURNAL.name)}) END, k.key::text, "
        f"{wanted}json_object('data' : {data} RETURNING json)::text{' END' if wanted else ''}, "
        f"{compared if columns else 'NULL'} "
        f"FROM unnest({keys}::uuid[]) WITH ORDINALITY AS k (key, n) LEFT JOIN read.{projection.name} AS {ROW} "
        f"ON {ROW}.workspace = {WORKSPACE} AND {ROW}.{projection.key} = k.key ORDER BY k.n"
    )
    return CompiledStatement(text.encode(), given)
