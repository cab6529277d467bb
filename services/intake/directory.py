"""What intake has to know of connections, tokens and workspaces: crm/adapters/kafka/directory.py knows it."""

from typing import Any, Protocol

from crm.connector import Connection, Home
from crm.scalars import Id, Micros


class Directory(Protocol):
    """Each answer is as of now, from memory."""

    def connection(self, id: str) -> Connection | None: ...

    def token(self, text: str, at: Micros | None = None) -> Any: ...

    def role(self, text: str) -> Any: ...

    def home(self, workspace: Id) -> Home: ...

    def locked(self) -> str | None:
        """Returns why no secret at all can be decrypted; None when some can, or there are none."""

    def missing(self) -> str | None:
        """Returns why nothing can be known yet; None when all is known."""
