"""One row per token that a command changed: its scopes and when it expires. The token itself is stored nowhere."""

from crm.envelope import Row
from crm.events import TokenCreated, TokenRevoked
from crm.projection import projection
from crm.scalars import Id, Micros


class TokenRow(Row, frozen=True, gc=False):
    """A key to the workspace. It was shown once."""

    token_id: Id
    name: str
    scopes: tuple[str, ...]
    expires_at: Micros | None
    revoked_at: Micros | None
    version: int
    touched_at: Micros


@projection(key="token_id", version=1, indexes=("touched_at",))
def token(row: TokenRow | None, event: TokenCreated | TokenRevoked) -> TokenRow | None:
    """Folds the commands on a token. One made by `crm token create` has no row until it is revoked."""
    at = event.meta.occurred_at
    expires_at = event.expires_at if isinstance(event, TokenCreated) else row.expires_at if row else None
    return TokenRow(
        token_id=event.token_id,
        name=event.name,
        scopes=event.scopes,
        expires_at=expires_at,
        revoked_at=at if isinstance(event, TokenRevoked) else None,
        version=row.version + 1 if row else 1,
        touched_at=max(row.touched_at, at) if row else at,
    )
