"""Files of messages, for who is signed in: what /attachments answers, downloaded and never run."""

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from api.console.session import token_of
from api.http.attachments import Attachments


class Files:
    """The ASGI handler of /console/files?ref=...: a file, fetched with the token of the cookie."""

    def __init__(self, attachments: Attachments) -> None:
        self.attachments = attachments

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        authorization = f"Bearer {token_of(Request(scope))}".encode("latin-1", "replace")
        await self.attachments({**scope, "headers": [(b"authorization", authorization)]}, receive, send)
