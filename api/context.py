"""What a request carries through its resolvers."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import strawberry
from strawberry.extensions import SchemaExtension

from api.access import Access, Token, bearer, workspace
from api.commands.desk import Desk
from api.live.changes import Changes
from api.sql.pool import Pool
from api.sql.reads import Reads


@dataclass
class Context:
    """Of one HTTP request or one websocket. `authorization` is the header's value, or the one in connection_init."""

    pool: Pool
    access: Access
    changes: Changes
    authorization: str
    connection_params: Any = field(default=None)
    idempotency_key: str | None = None
    min_position: str | None = None
    desk: Desk | None = None  # None: this server only reads
    archive: Path | None = None  # has facts that Kafka no longer has

    @property
    def token(self) -> Token:
        """Raises Unauthorized."""
        return bearer(self.access, self.authorization)

    def workspace(self) -> str:
        """Asked again by long subscriptions: a token can be revoked. Raises Unauthorized."""
        return workspace(self.access, self.authorization)

    @cached_property
    def reads(self) -> Reads:
        return Reads(self.pool, self.workspace())

    def begin(self) -> None:
        """A new operation, or the next change of a subscription: nothing is remembered of the one before."""
        self.__dict__.pop("reads", None)


class Begin(SchemaExtension):
    """A websocket carries many operations: each has loaders and a budget of its own."""

    def on_operation(self) -> Iterator[None]:
        if isinstance(context := self.execution_context.context, Context):
            context.begin()
        yield


Info = strawberry.Info[Context, Any]
