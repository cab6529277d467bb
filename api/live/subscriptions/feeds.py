"""One subscription a projection, made from its declaration: `dealChanged` tells DealChange {cursor id deal}."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import strawberry

from api.context import Info
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.resume_cursor import Standing, standing
from api.schema.fields import Argument, known, signed
from api.schema.filters import known_id
from api.schema.names import type_name
from api.schema.nodes import TYPES
from crm.projection import Projection
from projections import PROJECTIONS

AFTER = Argument(
    str | None, None, "What changed since: the last `cursor`, or a query's freshness position. Without: from now on."
)
CURSOR = "Everything up to here was told. Give it as `after` to resume."


class Following(NamedTuple):
    """What the field resolves to. Nobody iterates over it: api.live.subscriptions.hub tells it what happens."""

    feed: Feed
    key: str | None
    after: Standing | None

    def __aiter__(self) -> AsyncIterator[Any]:  # graphql-core takes nothing else for a stream
        raise NotImplementedError("subscriptions are served over websockets and SSE")


def change_type(projection: Projection[Any]) -> Any:
    kind = type_name(projection.name)
    body = {
        "__module__": __name__,
        "__annotations__": {"cursor": str, "id": strawberry.ID, projection.name: TYPES[kind] | None},
        "cursor": strawberry.field(description=CURSOR),
        "id": strawberry.field(description="Which one changed."),
        projection.name: strawberry.field(description="As it stands now; null when it is no more."),
    }
    return strawberry.type(
        type(f"{kind}Change", (), body), name=f"{kind}Change", description=f"A changed {kind}, after the commit."
    )


CHANGES = {name: change_type(projection) for name, projection in PROJECTIONS.items()}


def subscription(feed: Feed) -> Any:
    """The GraphQL field of a feed."""
    name = feed.projection.name

    def resolve(root: Any, info: Info, **given: Any) -> Any:
        id, after = known(given).get("id"), root or given.get("after")  # root: the Last-Event-ID of an event stream
        since = None if after is None else standing(after, info.context.workspace(), name)
        return Following(feed, None if id is None else known_id(id), since)

    arguments = {"after": AFTER}
    if feed.only == "true":
        arguments = {"id": Argument(strawberry.ID | None, None, "This one only."), **arguments}
    returns: Any = CHANGES[name]
    resolver = signed(resolve, AsyncIterator[returns], arguments)
    return strawberry.subscription(resolver=resolver, description=feed.about)


FEEDS = {
    **{
        f"{name}_changed": Feed(projection, f"{type_name(name)}: those that change, or one of them.")
        for name, projection in PROJECTIONS.items()
    },
    "ringing": Feed(PROJECTIONS["call"], "Calls as they begin to ring.", "t.phase = 'ringing'"),
}
SUBSCRIPTIONS = {name: subscription(feed) for name, feed in FEEDS.items()}
