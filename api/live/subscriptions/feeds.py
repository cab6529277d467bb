"""One subscription per projection, made from its declaration: `dealChanged` sends DealChange {cursor id deal}."""

from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import strawberry

from api.context import Info
from api.errors import BadInput
from api.live.subscriptions.feed import Feed
from api.live.subscriptions.filter_arguments import filter_arguments, row_filter
from api.live.subscriptions.resume_cursor import ResumeCursor, decode
from api.live.subscriptions.row_filter import RowFilter
from api.schema.fields import Argument, with_signature, without_unset
from api.schema.filters import known_id
from api.schema.names import type_name
from api.schema.nodes import TYPES
from crm.projection import Projection
from projections import PROJECTIONS

AFTER = Argument(
    str | None,
    None,
    "Changes after this `cursor`, or after the `position` of a query's `extensions.freshness`. Default: from now on.",
)
LEFT = "true: it is no longer among the rows that you follow, as it does not fulfil the filter or no longer exists."
CURSOR = "Send it as `after` to resume: everything before it was delivered."


class RowSubscription(NamedTuple):
    """What the field resolves to. Nobody iterates over it: api.live.subscriptions.hub delivers the changes."""

    feed: Feed
    key: str | None
    after: ResumeCursor | None
    filter: RowFilter | None = None

    def __aiter__(self) -> AsyncIterator[Any]:  # graphql-core takes nothing else for a stream
        raise NotImplementedError("subscriptions are served over websockets and SSE")


def change_type(projection: Projection[Any]) -> Any:
    kind = type_name(projection.name)
    body = {
        "__module__": __name__,
        "__annotations__": {"cursor": str, "id": strawberry.ID, "left": bool, projection.name: TYPES[kind] | None},
        "cursor": strawberry.field(description=CURSOR),
        "id": strawberry.field(description="Id of what changed."),
        "left": strawberry.field(description=LEFT),
        projection.name: strawberry.field(description="As it is now; null when it no longer exists."),
    }
    change = type(f"{kind}Change", (), body)
    return strawberry.type(change, name=f"{kind}Change", description=f"A committed change of one {kind}.")


CHANGES = {name: change_type(projection) for name, projection in PROJECTIONS.items()}


def subscription(feed: Feed) -> Any:
    """Returns the GraphQL field of a feed."""
    name = feed.projection.name

    def resolve(root: Any, info: Info, **given: Any) -> Any:
        given = without_unset(given)
        id, after = given.get("id"), root or given.get("after")  # root: the Last-Event-ID of an event stream
        since = None if after is None else decode(after, info.context.workspace(), name)
        filter = row_filter(feed.projection, given)
        if id is not None and filter:
            raise BadInput("Give either `id` or filters. Nothing was read.")
        return RowSubscription(feed, None if id is None else known_id(id), since, filter)

    arguments = {"after": AFTER}
    if feed.only == "true":
        about = f"Only changes of the {type_name(name)} with this id."
        id = {"id": Argument(strawberry.ID | None, None, about)}
        arguments = {**id, **filter_arguments(feed.projection), **arguments}
    returns: Any = CHANGES[name]
    resolver = with_signature(resolve, AsyncIterator[returns], arguments)
    return strawberry.subscription(resolver=resolver, description=feed.about)


FEEDS = {
    **{
        f"{name}_changed": Feed(projection, f"Changes of each {type_name(name)}, or of the one with this `id`.")
        for name, projection in PROJECTIONS.items()
    },
    "ringing": Feed(PROJECTIONS["call"], "Calls as they start to ring.", "t.phase = 'ringing'"),
}
SUBSCRIPTIONS = {name: subscription(feed) for name, feed in FEEDS.items()}
