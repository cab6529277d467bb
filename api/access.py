"""Authentication: a bearer token identifies a workspace, and its scopes say what the caller may do there."""

from collections.abc import Callable, Collection
from typing import Protocol

from api.errors import Forbidden, Unauthorized
from crm.role_tokens import SCHEME
from crm.tokens import INSTALLATION, INSTALLATION_SCOPE

NO_TOKEN = "Send `Authorization: Bearer crm_live_…`. `crm token create` makes a token."
BAD_TOKEN = "This token is unknown, revoked or expired. Nothing was read. `crm token create` makes a new one."


class Token(Protocol):
    """A known access token."""

    @property
    def id(self) -> str: ...
    @property
    def workspace(self) -> str: ...
    @property
    def scopes(self) -> Collection[str]: ...


MayIntrospect = Callable[[Token], bool]
INTROSPECTION: dict[str, MayIntrospect] = {
    "any": lambda token: True,
    "admin": lambda token: "admin" in token.scopes,
    "none": lambda token: False,
}
ANYONE = INTROSPECTION["any"]


def may_introspect(who: str) -> MayIntrospect:
    """Returns which tokens may read the schema, from the setting CRM_INTROSPECTION. Raises ValueError."""
    if who not in INTROSPECTION:
        raise ValueError(f"CRM_INTROSPECTION is {who!r}. Set it to one of {', '.join(INTROSPECTION)}.")
    return INTROSPECTION[who]


SCOPES = "read", "write", "connect", "admin"  # of a workspace
TO_CHANGE = "write", "connect", INSTALLATION_SCOPE  # any of them permits mutations, each of which checks its own


class Access(Protocol):
    """The known access tokens, kept up to date in memory."""

    def token(self, text: str) -> Token | None: ...

    def role(self, text: str) -> Token | None: ...


def bearer(access: Access, authorization: str) -> Token:
    """Returns the token in an Authorization header. Raises Unauthorized."""
    scheme, _, text = authorization.partition(" ")
    if scheme.lower() == SCHEME and (role := access.role(text.strip())):
        return role
    if scheme.lower() != "bearer" or not text.strip():
        raise Unauthorized(NO_TOKEN)
    token = access.token(text.strip())
    if token is None:
        raise Unauthorized(BAD_TOKEN)
    return token


def require(token: Token, *scopes: str) -> None:
    """Checks that the token has one of these scopes; `admin` includes all. Raises Forbidden."""
    if not {"admin", *scopes} & set(token.scopes):
        wanted = " or ".join(f"`{scope}`" for scope in scopes or ("admin",))
        options = " ".join(f"--scope {scope}" for scope in [*sorted(token.scopes), (scopes or ("admin",))[0]])
        raise Forbidden(
            f"This token lacks the scope {wanted}. Nothing was read or changed by this operation. "
            f"`crm token create {options}` makes a token that has it."
        )


def actor_of(token: Token) -> str:
    """Returns who does something, as events name them: the token's name, or its id where it has none."""
    return getattr(token, "name", "") or token.id


def is_role(token: Token) -> bool:
    """Tells whether a role of this installation reads in the name of a workspace: it has no token of its own."""
    return token.id == token.workspace


def belongs_to_installation(token: Token) -> bool:
    """Tells whether the token creates workspaces and changes their settings. It has no workspace, and reads nothing."""
    return INSTALLATION_SCOPE in token.scopes and token.workspace == INSTALLATION


def require_installation(token: Token) -> None:
    """Raises Forbidden for the token of a workspace: `admin` includes everything in its own workspace only."""
    if not belongs_to_installation(token):
        raise Forbidden(
            "Only a token of the installation creates workspaces. Nothing was changed. "
            "`crm token create --installation` makes one."
        )


def workspace(access: Access, authorization: str) -> str:
    """Returns the workspace of a token that may read. Raises Unauthorized or Forbidden."""
    token = bearer(access, authorization)
    require(token, "read")
    return token.workspace
