"""The GraphQL schema: queries, mutations and subscriptions."""

from typing import Any

import strawberry
from strawberry.schema.config import StrawberryConfig

from api.commands.exports import FILE_EXPORT
from api.commands.root import MUTATION
from api.context import Info
from api.errors import BadInput
from api.history.asof import AS_OF, AsOf, current_only
from api.history.asof import row as row_as_of_moment
from api.history.questions import history_fields
from api.live.events import EVENTS, EVENTS_QUERY
from api.live.subscriptions.feeds import SUBSCRIPTIONS
from api.schema.descriptions import describe
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.imports import FILE_IMPORT, IMPORTS
from api.schema.integrations import CONNECTORS_QUERY
from api.schema.lists import LISTS
from api.schema.names import snake, type_name
from api.schema.nodes import TYPES, Node, by_id, declare, listing, many, node
from api.schema.object_queries import OBJECT_QUERIES
from api.schema.processes import PROCESSES
from api.schema.processing import PROCESSING
from api.schema.quarantine import QUARANTINE
from api.schema.rebuilds import REBUILDS
from api.schema.scalars import SCALARS, Long
from api.schema.search import SEARCH
from api.schema.totals import TOTALS
from api.schema.webhooks import WEBHOOK_DELIVERIES
from api.schema.whatif import WHAT_IF
from api.schema.workspace import QUERIES
from api.sql.plan import rows
from api.sql.plan.caller import caller as caller_plan
from api.sql.reads import NODES
from crm.phones import read_phone
from projections import PROJECTIONS


async def deal(_: Any, info: Info, id: str | None = None, number: int | None = None, as_of: AsOf | None = None) -> Any:
    reads = info.context.reads
    if (id is None) == (number is None):
        raise BadInput("Give either `id` or `number` to find a deal. Nothing was read.")
    if as_of and id is not None:
        return await row_as_of_moment(info, PROJECTIONS["deal"], id, as_of)
    found = await (reads.one("deal", known_id(id)) if id is not None else reads.by_column("deal", "number", number))
    return await row_as_of_moment(info, PROJECTIONS["deal"], found["id"], as_of) if as_of and found else found


async def caller(_: Any, info: Info, phone: str) -> dict[str, Any]:
    reads = info.context.reads
    e164 = read_phone(phone, await reads.country()).e164
    found = await reads.caller(e164) if e164 else None
    deals = await reads.open_deals(found["id"]) if found else []
    owner = next((deal["owner"] for deal in deals if deal["owner"]), None)
    answering = await reads.by_column("owner", "key", owner) if owner else None
    return {"phone": e164, "contact": found, "open_deals": deals, "owner": owner, "answering": answering}


BY_KEY = ("deal", "object", "object_type")  # found by more than their id
ID, NUMBER = Argument(strawberry.ID | None, None), Argument(Long | None, None, "Number of the deal, such as 7 for D-7.")
declare(
    "Caller",
    "Who is calling, and what to know before answering.",
    {"phone": str, "contact": TYPES["Contact"] | None, "open_deals": many("Deal"), "owner": str | None}
    | {"answering": TYPES["Owner"] | None},
    {
        "phone": strawberry.field(description="The number in E.164; empty when it cannot be read as a phone number."),
        "contact": strawberry.field(description="The contact with this number; null when it is unknown."),
        "open_deals": strawberry.field(description="Open deals of the contact, last changed first, at most 20."),
        "owner": strawberry.field(description="Owner of the last changed open deal, who should answer."),
        "answering": strawberry.field(description="The record of `owner`; null when there is none."),
    },
)
declare(
    "Query",
    "All queries. Rows of other workspaces are never found.",
    {},
    {
        "node": field(
            Node | None,
            {"id": Argument(strawberry.ID)},
            node,
            "Fetches the object with this id, of any type; null when there is none.",
            rows.any_row(NODES),
        ),
        **{snake(type_name(name)): by_id(name) for name in NODES if name not in BY_KEY},
        "deal": field(
            TYPES["Deal"] | None,
            {"id": ID, "number": NUMBER, "as_of": AS_OF},
            deal,
            "Fetches one Deal by its id or by its number; null when there is none.",
            current_only(rows.lookup_either(PROJECTIONS["deal"], "number")),
        ),
        "caller": field(
            TYPES["Caller"],
            {"phone": Argument(str, about="Phone number, in any format.")},
            caller,
            "Finds the contact with this phone number, its open deals and their owner.",
            caller_plan,
        ),
        **QUERIES,
        "connectors": CONNECTORS_QUERY,
        "webhook_deliveries": WEBHOOK_DELIVERIES,
        "imports": IMPORTS,
        "file_import": FILE_IMPORT,
        "file_export": FILE_EXPORT,
        **PROCESSING,
        "rebuilds": REBUILDS,
        "processes": PROCESSES,
        **QUARANTINE,
        **WHAT_IF,
        "search": SEARCH,
        **OBJECT_QUERIES,
        **{name: listing(name) for name in LISTS},
        **TOTALS,
        **history_fields(TYPES["Deal"], TYPES["Contact"]),
        "events": EVENTS_QUERY,
    },
)
declare(
    "Subscription",
    "All subscriptions. Changes are sent as soon as they are committed.",
    {},
    {**SUBSCRIPTIONS, "events": EVENTS},
)


def value(source: Any, name: str) -> Any:
    """Resolves a field of a row, which is a dict, or of an object."""
    return source[name] if isinstance(source, dict) else getattr(source, name)


schema = strawberry.Schema(
    query=TYPES["Query"],
    mutation=MUTATION,
    subscription=TYPES["Subscription"],
    types=[TYPES[type_name(name)] for name in NODES],
    config=StrawberryConfig(default_resolver=value, scalar_map=SCALARS),
)
describe(schema._schema)
