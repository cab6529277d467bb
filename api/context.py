"""What a request carries through its resolvers."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import strawberry

from api.access import Access, workspace
from api.changes import Changes
from api.database import Pool
from api.reads import Reads


@dataclass
class Context:
    """Of one HTTP request or one websocket. `authorization` is the header's value, or the one in connection_init."""

    pool: Pool
    access: Access
    changes: Changes
    authorization: str
    connection_params: Any = field(default=None)

    def workspace(self) -> str:
        """Asked again by long subscriptions: a token can be revoked. Raises Unauthorized."""
        return workspace(self.access, self.authorization)

    @cached_property
    def reads(self) -> Reads:
        return Reads(self.pool, self.workspace())


Info = strawberry.Info[Context, Any]
