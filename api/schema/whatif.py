"""The trials of other rules: a past period decided by them, compared with what really happened."""

from collections.abc import Mapping
from datetime import datetime
from types import GenericAlias
from typing import Any, NamedTuple

import msgspec
import strawberry
from psycopg.rows import dict_row
from psycopg.sql import SQL, Identifier
from strawberry.scalars import JSON

from api.context import Context, Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from api.schema.integrations import moment
from api.schema.scalars import Long
from crm.scalars import Id
from crm.whatif import MARK, PREFIX, Phase, Request, Status

MOST = 200
READ_ONLY = "This server is read-only: trials are not in what it reads. Nothing was read."
TRIALS = """
SELECT n.nspname::text, substr(obj_description(n.oid, 'pg_namespace'), %s) FROM pg_namespace AS n
WHERE obj_description(n.oid, 'pg_namespace') LIKE %s
  AND to_regclass(quote_ident(n.nspname) || '.deal') IS NOT NULL
  AND to_regclass(quote_ident(n.nspname) || '.stage_rule') IS NOT NULL
ORDER BY 1"""
OWN = SQL("FROM {table} AS w JOIN read.deal AS d ON d.deal_id = w.deal_id AND d.workspace = %(workspace)s")
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
RULES = SQL("""
SELECT w.rule, count(*) AS deals, count(*) FILTER (WHERE w.task) AS tasks,
  count(*) FILTER (WHERE w.message) AS messages, count(*) FILTER (WHERE w.webhook) AS webhooks,
  count(*) FILTER (WHERE w.left_out <> '{{}}') AS left_out
{own} GROUP BY w.rule ORDER BY w.rule""")
TOUCHED = SQL("""
SELECT w.rule, w.deal_id::text AS id, d.number, d.title, w.stage, w.at, w.why, w.done, w.left_out
{own} ORDER BY w.at, d.number, w.rule LIMIT %(most)s""")
strawberry.enum(Phase, name="WhatIfPhase", description="Where a trial is.")


class Stored(NamedTuple):
    """A trial with its tables: of the API, with its request, or of `crm whatif`."""

    schema: str  # empty: it has no tables yet
    about: str
    request: Request | None = None
    status: Status = Status(Phase.DONE)


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


@strawberry.type(description="What one stage rule would have done.")
class WhatIfStageRule:
    rule: str = strawberry.field(description="Name of the rule.")
    deals: Long = strawberry.field(description="Deals on which it would have acted.")
    tasks: Long = strawberry.field(description="Tasks that it would have added.")
    messages: Long = strawberry.field(description="Messages that it would have sent.")
    webhooks: Long = strawberry.field(description="Webhooks that it would have called.")
    left_out: Long = strawberry.field(description="Deals on which it would not have done all of it.")


@strawberry.type(description="A deal on which a stage rule would have acted.")
class WhatIfTouched:
    rule: str = strawberry.field(description="Name of the rule.")
    id: strawberry.ID = strawberry.field(description="Id of the deal.")
    number: Long = strawberry.field(description="Its number.")
    title: str = strawberry.field(description="Its title.")
    stage: str = strawberry.field(description="The stage that it reached.")
    at: datetime = strawberry.field(description="When.")
    why: str = strawberry.field(description="What of the deal fitted, as text for people.")
    done: list[str] = strawberry.field(description="What the rule would have done, as text for people.")
    left_out: list[str] = strawberry.field(description="What it would not have done and why, as text for people.")


async def owners(source: "WhatIf", info: Info) -> list[WhatIfOwner]:
    return [WhatIfOwner(**row) for row in await rows(info.context, source.stored, "deal", OWNERS)]


async def changed(source: "WhatIf", info: Info) -> list[WhatIfDeal]:
    return [WhatIfDeal(**row) for row in await rows(info.context, source.stored, "deal", CHANGED)]


async def touched(source: "WhatIf", info: Info) -> list[WhatIfTouched]:
    return [WhatIfTouched(**row) for row in await rows(info.context, source.stored, "stage_rule", TOUCHED)]


async def stage_rules(source: "WhatIf", info: Info) -> list[WhatIfStageRule]:
    """What each would have done, also those that touched nothing."""
    found = {row["rule"]: row for row in await rows(info.context, source.stored, "stage_rule", RULES)}
    request, nothing = source.stored.request, dict.fromkeys(("deals", "tasks", "messages", "webhooks", "left_out"), 0)
    tried = (request.rules.stage_rules or ()) if request and source.stored.schema else ()
    every = {rule.name.strip(): {"rule": rule.name.strip(), **nothing} for rule in tried} | found
    return [WhatIfStageRule(**row) for row in every.values()]


@strawberry.type(description="A past period, decided again by other rules.")
class WhatIf:
    stored: strawberry.Private[Stored]
    name: str = strawberry.field(description="Its name, as `crm whatif` has it.")
    about: str = strawberry.field(description="What was tried, as text for people.")
    phase: Phase = strawberry.field(description="Where it is. Until it is done there are no numbers.")
    progress: float = strawberry.field(description="Part of the history that was decided again, from 0 to 1.")
    message: str | None = strawberry.field(description="Why it failed, as text for people.")
    requested_at: datetime | None = strawberry.field(description="When it was asked for; null: by `crm whatif`.")
    requested_by: str | None = strawberry.field(description="Who asked for it; null: by `crm whatif`.")
    rules: JSON | None = strawberry.field(description="What was tried, in the form of the file of `crm rules apply`.")
    not_repeated: int = strawberry.field(description="Facts and commands that do not fit the simulated history.")
    deals: Long = strawberry.field(description="Deals of the period.")
    other_owner: Long = strawberry.field(description="Of these, those that somebody else would have got.")
    other_stage: Long = strawberry.field(description="Of these, those that would be in another stage.")
    owners = field(GenericAlias(list, WhatIfOwner), {}, owners, "By salesperson, the largest difference first.")
    changed = field(GenericAlias(list, WhatIfDeal), {}, changed, f"The deals that differ, at most {MOST}.")
    stage_rules = field(GenericAlias(list, WhatIfStageRule), {}, stage_rules, "What each stage rule would have done.")
    touched = field(
        GenericAlias(list, WhatIfTouched), {}, touched, f"Deals on which a stage rule would have acted, at most {MOST}."
    )


async def what_ifs(_: Any, info: Info, name: str | None = None) -> list[WhatIf]:
    workspace = Id(info.context.workspace())
    found = [await shown(info.context, one) for one in await trials(info.context, workspace, name)]
    return [one for one in found if one.phase is not Phase.DONE or one.deals or one.requested_at]


async def trials(context: Context, workspace: Id, name: str | None = None) -> list[Stored]:
    """Returns the trials of a workspace, those of the API first and of them the newest. Raises Unavailable."""
    if context.executor is None:
        raise Unavailable(READ_ONLY)
    async with context.executor.connection("what_ifs") as conn:
        schemas = dict(await (await conn.execute(TRIALS, [len(MARK) + 1, MARK + "%"])).fetchall())
    store, found = context.trials, []
    for request in await store.of(workspace) if store else ():
        schema = PREFIX + request.name
        there = schemas.pop(schema, "").partition("\n")[0]
        if name in (None, request.name) and store:
            status = await store.status(workspace, request.id)
            found.append(Stored(schema if there else "", there or request.label, request, status))
    for schema, about in schemas.items():
        said, _, of = about.partition("\n")
        if of in ("", workspace) and name in (None, schema.removeprefix(PREFIX)):  # empty: of an earlier release
            found.append(Stored(schema, said))
    return found


async def shown(context: Context, stored: Stored) -> WhatIf:
    request, status = stored.request, stored.status
    (counts,) = await rows(context, stored, "deal", COUNTS) or [{"deals": 0, "other_owner": 0, "other_stage": 0}]
    return WhatIf(
        stored=stored,
        name=request.name if request else stored.schema.removeprefix(PREFIX),
        about=stored.about,
        phase=status.phase,
        progress=1.0 if status.phase is Phase.DONE else status.done / status.whole if status.whole else 0.0,
        message=status.message or None,
        requested_at=moment(request.requested_at) if request else None,
        requested_by=request.requested_by if request else None,
        rules=JSON(given(request)) if request else None,
        not_repeated=status.couldnt,
        **counts,
    )


def given(request: Request) -> dict[str, Any]:
    """Returns the rules in the form of a file, without what it leaves out."""
    rules: Mapping[str, Any] = msgspec.to_builtins(request.rules)
    return {name: value for name, value in rules.items() if value is not None}


async def rows(context: Context, stored: Stored, table: str, query: SQL) -> list[dict[str, Any]]:
    """Reads a table of a trial, of it the workspace's own deals. Raises Unavailable."""
    if not stored.schema or context.executor is None:
        return []
    own = OWN.format(table=Identifier(stored.schema, table))
    async with context.executor.connection("what_ifs") as conn:
        cursor = conn.cursor(row_factory=dict_row)
        await cursor.execute(query.format(own=own), {"workspace": context.workspace(), "most": MOST})
        return await cursor.fetchall()


WHAT_IF = {
    "what_ifs": field(
        GenericAlias(list, WhatIf),
        {"name": Argument(str | None, None, "Only the trial of this name.")},
        what_ifs,
        "What other rules would have done in a past period, as `whatIfStart` or `crm whatif run` found it.",
    )
}
