"""connectionCheck: asks the vendor whether a connection's webhook is still set, and sets it again. No event, no row."""

from typing import Any
from uuid import uuid4

import strawberry

from api.access import require
from api.commands.activation import Activation, restored, shown
from api.commands.answers import UserError, user_error
from api.context import Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from crm.commands import Code, Rejected
from crm.envelope import now
from crm.scalars import Id
from crm.shared import Meta

ABOUT = (
    "Asks the vendor whether the webhook of a connection is still set and switched on, and sets it again where it is "
    "not. For connections that were made with the vendor's own key."
)
NO_KEY = (
    "This connection was not made with the vendor's key, or the vendor has no API for it, so there is nothing to ask. "
    "Nothing was changed."
)


@strawberry.type(description="Result of `connectionCheck`.")
class ConnectionCheckPayload:
    activation: Activation | None = strawberry.field(description="What was found and done at the vendor.")
    user_errors: list[UserError] = strawberry.field(description="Why the vendor was not asked.")


async def body(_: Any, info: Info, connection_id: str) -> dict[str, Any]:
    context = info.context
    require(context.token, "connect")
    if context.executor is None:
        raise Unavailable("This server is read-only. Nothing was changed.")
    workspace, id, at = Id(context.token.workspace), Id(str(uuid4())), now()
    meta = Meta(id, workspace, id, occurred_at=at, recorded_at=at, source="api", cause=id, actor=context.token.id)
    try:
        connection = context.executor.access.connection(known_id(connection_id))
        if connection is None or connection.workspace != workspace:
            raise Rejected(
                "connectionId", Code.NOT_FOUND, f"There is no connection {connection_id}. Nothing was changed."
            )
        activated = await restored(context.executor, context.intake_url, connection, meta)
        if activated is None:
            raise Rejected("connectionId", Code.INVALID, NO_KEY)
    except Rejected as refusal:
        return {"activation": None, "user_errors": [user_error(refusal)]}
    return {"activation": shown(activated), "user_errors": []}


CONNECTION_CHECK = field(
    ConnectionCheckPayload,
    {"connection_id": Argument(strawberry.ID, about="Which connection.")},
    body,
    ABOUT,
)
