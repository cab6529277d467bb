"""Who is calling, as the screen pop says it: for certain, one of several, or nobody who is known."""

import asyncio
from collections.abc import Mapping
from types import GenericAlias
from typing import Any

from api.context import Info
from api.history.asof import require_current
from api.schema.fields import field
from crm.adapters.postgres.callers import LOOK_UP, read_found
from crm.scalars import Id
from crm.screen_pop.caller import Found, caller

MATCH = (
    "certain: this contact has the number. uncertain: it was seen with several people, or is said to be nobody's; all "
    "are in `callers` and none is preferred. none: nobody was known by it before the call."
)
CALLERS = "The contacts that may be calling: one when `match` is certain, none when nobody is known."


async def said(source: Any, info: Info) -> dict[str, Any]:
    require_current(source, info.field_name)
    known, id = info.context.callers, str(source["call_id"])
    if id not in known:
        known[id] = asyncio.ensure_future(look_up(info, id, source["phone"]))
    return caller(await known[id], Id(str(source["contact_id"])), source["known"])


async def look_up(info: Info, call: str, phone: str) -> Found:
    (row,) = await info.context.reads.rows(LOOK_UP, call=call, phone=phone)
    return read_found(row["found"])


async def match(source: Any, info: Info) -> str:
    return str((await said(source, info))["match"])


async def callers(source: Any, info: Info) -> list[Any]:
    ids = [one["contact_id"] for one in (await said(source, info))["contacts"]]
    return [one for one in await asyncio.gather(*(info.context.reads.one("contact", id) for id in ids)) if one]


def calling_fields(types: Mapping[str, Any]) -> dict[str, Any]:
    """Makes the fields of a call that say who it is. `types`: the row types."""
    return {
        "match": field(str, {}, match, MATCH),
        "callers": field(GenericAlias(list, types["Contact"]), {}, callers, CALLERS),
    }
