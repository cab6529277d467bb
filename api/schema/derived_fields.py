"""Fields that are looked up elsewhere: open deals and their owner, the salesperson, deals of a parked payment."""

import asyncio
from collections.abc import Mapping
from types import GenericAlias
from typing import Any

from api.context import Info
from api.history.asof import AS_OF_KEY, referred_row, require_current
from api.schema.calling import calling_fields
from api.schema.fields import field
from api.schema.integrations import ACTIVITY
from api.sql.plan import open_deals as open_deals_plan
from api.sql.plan import rows
from crm.decisions.owners import owner_id
from crm.scalars import Id
from projections import PROJECTIONS

Fields = dict[str, Any]
Types = Mapping[str, Any]


def derived_fields(projection: str, types: Types) -> Fields:
    """Returns the derived fields of a projection's type, by name. `types`: the row types."""
    found: Fields = {}
    for make, projections in MAKERS.items():
        found |= make(types) if projection in projections else {}
    return found


async def open_deals(source: Any, info: Info) -> Any:
    require_current(source, info.field_name)
    reads, contact = info.context.reads, source["contact_id"]
    surviving_contact = await reads.surviving_contact(contact)
    return await reads.open_deals(surviving_contact["id"] if surviving_contact else contact)


async def owner(source: Any, info: Info) -> Any:
    return next((deal["owner"] for deal in await open_deals(source, info) if deal["owner"]), None)


def pipeline_fields(types: Types) -> Fields:
    """Makes the fields that a salesperson needs before answering a call."""
    deals = field(
        GenericAlias(list, types["Deal"]),
        {},
        open_deals,
        "Open deals of the contact, last changed first, at most 20.",
        open_deals_plan.open_deals("contact_id"),
    )
    return {
        "open_deals": deals,
        "owner": field(
            str | None, {}, owner, "Owner of the last changed of these open deals.", open_deals_plan.owner("contact_id")
        ),
    }


async def salesperson(source: Any, info: Info) -> Any:
    reads = info.context.reads
    id = owner_id(Id(reads.workspace), source["owner"]) if source["owner"] else None
    if AS_OF_KEY in source:
        return await referred_row(info, PROJECTIONS["owner"], id, source[AS_OF_KEY])
    return await reads.one("owner", id)


def owner_fields(types: Types) -> Fields:
    about = "The owner with the key in `owner`; null for nobody, and for a key that was never added with `ownerAdd`."
    rule = rows.referred_row(PROJECTIONS["owner"], "owner", "key")
    return {"salesperson": field(types["Owner"] | None, {}, salesperson, about, rule)}


async def candidate_deals(source: Any, info: Info) -> Any:
    require_current(source, info.field_name)
    found = await asyncio.gather(*(info.context.reads.one("deal", id) for id in source["candidates"]))
    return sorted(filter(None, found), key=lambda deal: deal["number"])


def candidate_fields(types: Types) -> Fields:
    about = "Deals that a parked payment could be for. `why` explains each; `paymentMatch` chooses one."
    rule = rows.rows_in(PROJECTIONS["deal"], "candidates", "number")
    return {"candidate_deals": field(GenericAlias(list, types["Deal"]), {}, candidate_deals, about, rule)}


def activity_fields(_: Types) -> Fields:
    return ACTIVITY


MAKERS = {
    activity_fields: ("connection",),
    calling_fields: ("call",),
    pipeline_fields: ("contact", "call"),
    owner_fields: ("deal", "task"),
    candidate_fields: ("payment",),
}
