"""The whole GraphQL schema: queries and subscriptions."""

from typing import Any

import strawberry
from graphql import GraphQLError
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionContext

from api.commands.mutations import MUTATION
from api.context import Begin, Info
from api.errors import BadInput, Masked, note
from api.history.asof import AS_OF, AsOf, of_now
from api.history.asof import row as as_it_was
from api.history.questions import past
from api.limits.extension import Limited
from api.live.events import EVENTS
from api.live.subscriptions.feeds import SUBSCRIPTIONS
from api.schema.descriptions import describe
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from api.schema.lists import LISTS
from api.schema.names import snake, type_name
from api.schema.nodes import TYPES, Node, by_id, declare, listing, many, node
from api.schema.scalars import SCALARS, Long
from api.schema.search import SEARCH
from api.sql.plan import rows
from api.sql.plan.caller import caller as in_one_statement
from api.sql.reads import NODES
from crm.phones import read_phone
from projections import PROJECTIONS


async def deal(_: Any, info: Info, id: str | None = None, number: int | None = None, as_of: AsOf | None = None) -> Any:
    reads = info.context.reads
    if (id is None) == (number is None):
        raise BadInput("A deal is found by `id` or by `number`: give one of them.")
    if as_of and id is not None:
        return await as_it_was(info, PROJECTIONS["deal"], id, as_of)
    found = await (reads.one("deal", known_id(id)) if id is not None else reads.by_column("deal", "number", number))
    return await as_it_was(info, PROJECTIONS["deal"], found["id"], as_of) if as_of and found else found


async def caller(_: Any, info: Info, phone: str) -> dict[str, Any]:
    reads = info.context.reads
    e164 = read_phone(phone, await reads.country()).e164
    found = await reads.caller(e164) if e164 else None
    deals = await reads.open_deals(found["id"]) if found else []
    owner = next((deal["owner"] for deal in deals if deal["owner"]), None)
    return {"phone": e164, "contact": found, "open_deals": deals, "owner": owner}


ID, NUMBER = Argument(strawberry.ID | None, None), Argument(Long | None, None, "The 7 of D-7.")
declare(
    "Caller",
    "Who is calling: what to know before picking up.",
    {
        "phone": str,
        "contact": TYPES["Contact"] | None,
        "open_deals": many("Deal"),
        "owner": str | None,
    },
)
declare(
    "Query",
    "Everything that can be read. Rows of other workspaces are never found.",
    {},
    {
        "node": field(
            Node | None,
            {"id": Argument(strawberry.ID)},
            node,
            "Whatever has this id: a contact, a deal, a call …",
            rows.any_row(NODES),
        ),
        **{snake(type_name(name)): by_id(name) for name in NODES if name != "deal"},
        "deal": field(
            TYPES["Deal"] | None,
            {"id": ID, "number": NUMBER, "as_of": AS_OF},
            deal,
            "One deal, by either.",
            of_now(rows.lookup_either(PROJECTIONS["deal"], "number")),
        ),
        "caller": field(
            TYPES["Caller"],
            {"phone": Argument(str, about="In any spelling.")},
            caller,
            "Who has this number.",
            in_one_statement,
        ),
        "search": SEARCH,
        **{name: listing(name) for name in LISTS},
        **past(TYPES["Deal"], TYPES["Contact"]),
    },
)
declare(
    "Subscription",
    "What happens, as soon as it is committed.",
    {},
    {
        **SUBSCRIPTIONS,
        "events": EVENTS,
    },
)


class Schema(strawberry.Schema):
    """Logs bugs only, and never the text of a query."""

    def process_errors(self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None) -> None:
        note(errors, execution_context.operation_name if execution_context else None)


def value(source: Any, name: str) -> Any:
    """Rows are dicts."""
    return source[name] if isinstance(source, dict) else getattr(source, name)


schema = Schema(
    query=TYPES["Query"],
    mutation=MUTATION,
    subscription=TYPES["Subscription"],
    types=[TYPES[type_name(name)] for name in NODES],
    config=StrawberryConfig(default_resolver=value, scalar_map=SCALARS),
    extensions=[
        Masked,
        Begin,
        Limited,
    ],
)
describe(schema._schema)
