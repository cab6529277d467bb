"""Who asks: a bearer token stands for a workspace, and its scopes for what may be done there."""

from collections.abc import Callable, Collection
from typing import Protocol

from api.errors import Forbidden, Unauthorized

NO_TOKEN = "Send `Authorization: Bearer crm_live_…`. `crm token create` makes a token."
BAD_TOKEN = "This token is unknown, revoked or out of date. Nothing was read. `crm token create` makes a new one."


class Token(Protocol):
    """A declared token."""

    @property
    def id(self) -> str: ...
    @property
    def workspace(self) -> str: ...
    @property
    def scopes(self) -> Collection[str]: ...


Curious = Callable[[Token], bool]
CURIOUS: dict[str, Curious] = {
    "any": lambda token: True,
    "admin": lambda token: "admin" in token.scopes,
    "none": lambda token: False,
}
anyone = CURIOUS["any"]


def curious(who: str) -> Curious:
    """Which tokens may read the schema, of the setting CRM_INTROSPECTION. Raises ValueError."""
    if who not in CURIOUS:
        raise ValueError(f"CRM_INTROSPECTION is {who!r}; it takes {', '.join(CURIOUS)}.")
    return CURIOUS[who]


class Access(Protocol):
    """The declared tokens, followed in memory."""

    def token(self, text: str) -> Token | None: ...


def bearer(access: Access, authorization: str) -> Token:
    """Of the value of an Authorization header. Raises Unauthorized."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized(NO_TOKEN)
    token = access.token(text.strip())
    if token is None:
        raise Unauthorized(BAD_TOKEN)
    return token


def require(token: Token, *scopes: str) -> None:
    """One of the scopes is enough, and admin has them all. Raises Forbidden."""
    if not {"admin", *scopes} & set(token.scopes):
        wanted = " or ".join(f"`{scope}`" for scope in scopes or ("admin",))
        raise Forbidden(
            f"This token may not do that: it lacks the scope {wanted}. Of this nothing was read or changed. "
            f"`crm token create --scope {(scopes or ('admin',))[0]}` makes one that may."
        )


def workspace(access: Access, authorization: str) -> str:
    """Of a token that may read. Raises Unauthorized, Forbidden."""
    token = bearer(access, authorization)
    require(token, "read")
    return token.workspace
