"""Tokens by which one role reads in the name of a workspace from another: signed with the keys of the installation.

`<workspace>.<unix seconds>.<code>`, sent as `Authorization: Role <token>`. It reads, changes nothing, and ends after a
minute.
"""

from crm.envelope import now
from crm.scalars import Id, Micros
from crm.secret_keys import SecretKeys

SCHEME = "role"
SECONDS = 60


def role_token(keys: SecretKeys, workspace: Id, at: Micros | None = None) -> str:
    """Returns a token that is valid from a moment on, now by default. Raises NoSecretKey."""
    begins = f"{workspace}.{(now() if at is None else at) // 1_000_000}"
    return f"{begins}.{keys.sign(begins)}"


def workspace_of(keys: SecretKeys, token: str, at: Micros | None = None) -> Id | None:
    """Returns the workspace that a token reads; None when it is none of this installation, or not of this minute."""
    begins, _, code = token.rpartition(".")
    workspace, _, seconds = begins.partition(".")
    if not keys.signed(begins, code):
        return None
    age = (now() if at is None else at) // 1_000_000 - int(seconds)
    return Id(workspace) if abs(age) <= SECONDS else None
