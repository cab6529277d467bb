"""connectionAuthorize: answers with a link by which the owner of an account permits access. No event, no row yet."""

from datetime import UTC, datetime
from typing import Any

import strawberry

from api.access import actor_of, require
from api.commands.answers import UserError, user_error
from api.commands.inputs import SettingInput
from api.context import Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from crm.commands import Code, Rejected
from crm.connector_catalogue import catalogue
from crm.connector_settings import BadSetting
from crm.oauth_link import Link, new_link
from crm.public_address import warning
from crm.scalars import Id
from crm.secret_keys import NoSecretKey

ABOUT = (
    "Begins a connection to a vendor with OAuth. Answers with a link: the owner of the account opens it in a browser "
    "and agrees, and then the connection is made. Nothing is changed before."
)


@strawberry.type(description="Result of `connectionAuthorize`.")
class ConnectionAuthorizePayload:
    link: str | None = strawberry.field(description="Where the owner of the account agrees. It works once.")
    redirect_url: str | None = strawberry.field(
        description="The address that your application at the vendor must allow as its redirect."
    )
    expires_at: datetime | None = strawberry.field(description="Until when the link can be used: ten minutes.")
    warning: str | None = strawberry.field(
        description="Who alone can reach the redirect address, as text for people; null when all can."
    )
    user_errors: list[UserError] = strawberry.field(description="Why there is no link.")


async def body(
    _: Any,
    info: Info,
    connector: str,
    client_id: str,
    client_secret: str,
    name: str = "",
    settings: Any = (),
    connection_id: str | None = None,
) -> dict[str, Any]:
    context = info.context
    require(context.token, "connect")
    if context.executor is None:
        raise Unavailable("This server is read-only. Nothing was changed.")
    workspace, known = Id(context.token.workspace), None
    given = {one.key: one.value for one in settings or ()}
    try:
        if connection_id is not None:
            known = context.executor.access.connection(known_id(connection_id))
            if known is None or known.workspace != workspace or known.connector != connector:
                why = f"There is no connection {connection_id} of {connector}. Nothing was changed."
                raise Rejected("connectionId", Code.NOT_FOUND, why)
        actor = actor_of(context.token)
        link = made(context, connector, workspace, (client_id, client_secret), given, name, known, actor)
    except Rejected as refusal:
        nothing = {"link": None, "redirect_url": None, "expires_at": None, "warning": None}
        return {**nothing, "user_errors": [user_error(refusal)]}
    until = datetime.fromtimestamp(link.expires_at / 1e6, UTC)
    near = warning(link.redirect) or None
    said = {"link": link.url, "redirect_url": link.redirect, "expires_at": until, "warning": near}
    return {**said, "user_errors": []}


def made(context: Any, connector: str, workspace: Id, client: tuple[str, str], settings: dict[str, str], name: str,
         known: Any, actor: str) -> Link:  # fmt: skip
    """Returns a link. Raises Rejected and Unavailable."""
    entry, keys, base = catalogue().get(connector), context.executor.keys, context.intake_url
    try:
        about, id = known.name if known else name, context.token.id
        token = id if id in context.executor.access.hashes else ""
        return new_link(
            entry, keys, base, workspace, client, settings, name=about, known=known, actor=actor, token=token
        )
    except BadSetting as bad:
        raise Rejected(
            "settings", Code.REQUIRED if bad.missing else Code.INVALID, f"{bad} Nothing was changed."
        ) from None
    except ValueError as error:
        place = "connector" if entry is None or entry.oauth is None else "clientId"
        raise Rejected(place, Code.INVALID, f"{error} Nothing was changed.") from None
    except NoSecretKey as error:
        raise Unavailable(str(error)) from None


CONNECTION_AUTHORIZE = field(
    ConnectionAuthorizePayload,
    {
        "connector": Argument(str, about="Which connector: one with OAuth, see docs/integrations.md."),
        "client_id": Argument(str, about="The id of your application at the vendor."),
        "client_secret": Argument(str, about="Its secret; kept encrypted, with the connection."),
        "name": Argument(str, "", about="Display name; empty: the connector's."),
        "settings": Argument(list[SettingInput] | None, None, about="The connector's settings."),
        "connection_id": Argument(
            strawberry.ID | None, None, about="A connection that gets a new permission instead of a new one."
        ),
    },
    body,
    ABOUT,
)
