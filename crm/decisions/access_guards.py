"""Checks that the connection or token that a command names exists. The API reads them from their topic."""

from typing import Any

from crm.commands import Code, Rejected
from crm.decisions.case import State
from crm.state import ConnectionKept, TokenKept


def require_connection(command: Any, state: State) -> None:
    """Raises Rejected when there is none, or it was removed before."""
    kept = state.get(ConnectionKept, command.connection_id)
    if not command.connector or (kept and kept.removed):
        why = f"There is no connection {command.connection_id}. Nothing was changed."
        raise Rejected("connectionId", Code.NOT_FOUND, why)


def require_token(command: Any, state: State) -> None:
    """Raises Rejected when there is none, or it was revoked before."""
    kept = state.get(TokenKept, command.token_id)
    if not command.scopes or (kept and kept.revoked):
        raise Rejected("tokenId", Code.NOT_FOUND, f"There is no token {command.token_id}. Nothing was changed.")
