"""A subscription's selection as ONE SQL statement: the results for many changed rows, and how far the projection is."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from graphql import GraphQLError
from graphql.execution.values import VariableValues
from psycopg import AsyncRawCursor

from api.live.subscriptions.feed import CURSOR, Feed
from api.sql.database import told_apart
from api.sql.plan.plan import Plan
from api.sql.plan.selection import Selection
from api.sql.plan.statement import WORKSPACE, Site, Unfit, Writer, parameters, quote
from api.sql.pool import Pool
from crm.topics import JOURNAL

ROW = "t"
positions = msgspec.json.Decoder(dict[int, int]).decode


class Found(NamedTuple):
    """`bodies`: a result for each row that is wanted. `seen`: they hold what the projection did up to there."""

    seen: dict[int, int]
    bodies: dict[str, bytes]


class Compiled(NamedTuple):
    """Its last parameter is the keys."""

    text: bytes
    parameters: list[str]

    async def read(self, pool: Pool, keys: Sequence[str]) -> Found:
        """Raises what api.sql.database.rows raises."""
        with told_apart():
            async with pool.reading(self.parameters[0]) as connection:
                cursor = AsyncRawCursor(connection)
                await cursor.execute(self.text, [*self.parameters, f"{{{','.join(keys)}}}"])
                rows = cursor.pgresult
                assert rows
                value = rows.get_value
                bodies = {(value(n, 1) or b"").decode(): value(n, 2) for n in range(rows.ntuples)}
                seen = value(0, 0)
        return Found(positions(seen) if seen else {}, {key: body for key, body in bodies.items() if body})


def compiled(plan: Plan, variables: VariableValues, feed: Feed, workspace: str) -> Compiled | None:
    """None when the slow path must."""
    projection, root = feed.projection, plan.schema.subscription_type
    assert plan.operation and root

    def row(site: Site) -> str:
        return f"CASE WHEN {ROW}.workspace IS NOT NULL THEN {site.object(ROW)} END"

    def change(site: Site) -> str:
        return site.object(ROW, {"cursor": quote(CURSOR), "id": "k.key", projection.name: row})

    writer = Writer(Selection(plan.schema, plan.fragments, variables))
    parts = dict.fromkeys(root.fields, change)
    try:
        data = writer.object(root, [plan.operation.selection_set], ROW, parts)
        given = parameters(writer.reads, workspace, variables)
    except (Unfit, GraphQLError):
        return None
    keys = writer.parameter(lambda _: "")
    wanted = "" if feed.only == "true" else f"CASE WHEN {feed.only} THEN "
    text = (
        "SELECT CASE WHEN k.n = 1 THEN (SELECT json_object_agg(partition, position + 1)::text FROM core.checkpoint "
        f"WHERE consumer = {quote(projection.table)} AND topic = {quote(JOURNAL.name)}) END, k.key::text, "
        f"{wanted}json_object('data' : {data} RETURNING json)::text{' END' if wanted else ''} "
        f"FROM unnest({keys}::uuid[]) WITH ORDINALITY AS k (key, n) LEFT JOIN read.{projection.name} AS {ROW} "
        f"ON {ROW}.workspace = {WORKSPACE} AND {ROW}.{projection.key} = k.key ORDER BY k.n"
    )
    return Compiled(text.encode(), given)
