"""Who asks: a bearer token stands for a workspace."""

from collections.abc import Collection
from typing import Protocol

from api.errors import Unauthorized

NO_TOKEN = "Send `Authorization: Bearer crm_live_…`. `crm token create` makes a token."
BAD_TOKEN = "This token is unknown, revoked or out of date. Nothing was read. `crm token create` makes a new one."
NO_SCOPE = "This token may not read. Nothing was read. `crm token create --scope read` makes one that may."


class Token(Protocol):
    """A declared token."""

    @property
    def workspace(self) -> str: ...
    @property
    def scopes(self) -> Collection[str]: ...


class Access(Protocol):
    """The declared tokens, followed in memory."""

    def token(self, text: str) -> Token | None: ...


def workspace(access: Access, authorization: str) -> str:
    """Of the value of an Authorization header. Raises Unauthorized."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized(NO_TOKEN)
    token = access.token(text.strip())
    if token is None:
        raise Unauthorized(BAD_TOKEN)
    if not {"read", "admin"} & set(token.scopes):
        raise Unauthorized(NO_SCOPE)
    return token.workspace
