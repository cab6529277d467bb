"""The trials of `crm whatif`: a past period decided by other rules, compared with what really happened."""

from types import GenericAlias
from typing import Any

import strawberry
from psycopg import AsyncConnection
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier

from api.context import Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from api.schema.scalars import Long

# Each trial is a schema, marked by its comment: services/operations/whatif/scratch.py.
MARK, PREFIX = "A trial of `crm whatif`: ", "whatif_"
MOST = 200
TRIALS = """
SELECT n.nspname::text, substr(obj_description(n.oid, 'pg_namespace'), %s) FROM pg_namespace AS n
WHERE obj_description(n.oid, 'pg_namespace') LIKE %s AND to_regclass(quote_ident(n.nspname) || '.deal') IS NOT NULL
ORDER BY 1"""
# A trial is of one workspace, which only its deals tell.
OWN = SQL("FROM {deals} AS w JOIN read.deal AS d ON d.deal_id = w.deal_id AND d.workspace = %(workspace)s")
OWNERS = SQL("""
WITH own AS (SELECT w.* {own}), sides AS (
  SELECT owner, 1 AS deals, 0 AS would, touch_s FROM own UNION ALL SELECT would_owner, 0, 1, NULL FROM own)
SELECT owner, sum(deals)::bigint AS deals, sum(would)::bigint AS would_deals,
  percentile_cont(0.5) WITHIN GROUP (ORDER BY touch_s) AS touch_s
FROM sides GROUP BY owner ORDER BY abs(sum(would) - sum(deals)) DESC, owner""")
COUNTS = SQL("""
SELECT count(*) AS deals, count(*) FILTER (WHERE w.owner <> w.would_owner) AS other_owner,
  count(*) FILTER (WHERE w.stage <> w.would_stage) AS other_stage {own}""")
CHANGED = SQL("""
SELECT w.deal_id::text AS id, w.number, w.title, w.owner, w.would_owner, w.why, w.would_why, w.stage, w.would_stage
{own} WHERE w.owner <> w.would_owner OR w.stage <> w.would_stage ORDER BY w.opened_at, w.number LIMIT %(most)s""")


@strawberry.type(description="A salesperson in a trial.")
class WhatIfOwner:
    owner: str = strawberry.field(description="Key of the salesperson; empty: nobody.")
    deals: Long = strawberry.field(description="Deals that they really got.")
    would_deals: Long = strawberry.field(description="Deals that they would have got.")
    touch_s: float | None = strawberry.field(
        description="Median seconds until they first spoke with a contact of theirs; null where they never did."
    )


@strawberry.type(description="A deal that would have had another owner or another stage.")
class WhatIfDeal:
    id: strawberry.ID = strawberry.field(description="Id of the deal.")
    number: Long = strawberry.field(description="Its number.")
    title: str = strawberry.field(description="Its title when it was opened.")
    owner: str = strawberry.field(description="Who got it.")
    would_owner: str = strawberry.field(description="Who would have got it.")
    why: str = strawberry.field(description="Why it was given so, as text for people.")
    would_why: str = strawberry.field(description="Why it would have been, as text for people.")
    stage: str = strawberry.field(description="Its stage at the end of the period.")
    would_stage: str = strawberry.field(description="The stage that it would have had.")


@strawberry.type(description="A past period, decided again by other rules.")
class WhatIf:
    name: str = strawberry.field(description="Its name, as `crm whatif` has it.")
    about: str = strawberry.field(description="What was tried, as text for people.")
    deals: Long = strawberry.field(description="Deals of the period.")
    other_owner: Long = strawberry.field(description="Of these, those that somebody else would have got.")
    other_stage: Long = strawberry.field(description="Of these, those that would be in another stage.")
    owners: list[WhatIfOwner] = strawberry.field(description="By salesperson, the largest difference first.")
    changed: list[WhatIfDeal] = strawberry.field(description=f"The deals that differ, at most {MOST}.")


async def what_ifs(_: Any, info: Info, name: str | None = None) -> list[WhatIf]:
    context = info.context
    workspace = context.workspace()
    if context.executor is None:
        raise Unavailable("This server is read-only: trials are not in what it reads. Nothing was read.")
    async with context.executor.connection("what_ifs") as conn:
        trials = await (await conn.execute(TRIALS, [len(MARK) + 1, MARK + "%"])).fetchall()
        wanted = [(schema, about) for schema, about in trials if name in (None, schema.removeprefix(PREFIX))]
        read = [await trial(conn, schema, about.partition("\n")[0], workspace) for schema, about in wanted]
    return [one for one in read if one]


async def trial(conn: AsyncConnection, schema: str, about: str, workspace: str) -> WhatIf | None:
    """Returns None for a trial of another workspace."""
    cursor, own = conn.cursor(row_factory=dict_row), OWN.format(deals=Identifier(schema, "deal"))

    async def rows(query: SQL) -> list[dict[str, Any]]:
        await cursor.execute(query.format(own=own), {"workspace": workspace, "most": MOST})
        return await cursor.fetchall()

    (counts,) = await rows(COUNTS)
    if not counts["deals"]:
        return None
    owners = [WhatIfOwner(**row) for row in await rows(OWNERS)]
    changed = [WhatIfDeal(**row) for row in await rows(CHANGED)]
    return WhatIf(name=schema.removeprefix(PREFIX), about=about, owners=owners, changed=changed, **counts)


WHAT_IF = {
    "what_ifs": field(
        GenericAlias(list, WhatIf),
        {"name": Argument(str | None, None, "Only the trial of this name.")},
        what_ifs,
        "What other rules would have done in a past period, as `crm whatif run` found it.",
    )
}
