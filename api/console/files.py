"""Files of messages, for who is signed in: what /attachments answers, downloaded and never run."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.console.session import token_of
from api.http.attachments import Attachments


def files(attachments: Attachments) -> Callable[[Request], Awaitable[Response]]:
    """Returns the handler of /console/files?ref=..."""

    async def answer(request: Request) -> Response:
        return Stored(attachments, token_of(request))

    return answer


class Stored(Response):
    """A file, fetched with the token of the cookie."""

    def __init__(self, attachments: Attachments, token: str) -> None:
        super().__init__()
        self.attachments, self.authorization = attachments, f"Bearer {token}"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = [(b"authorization", self.authorization.encode("latin-1", "replace"))]
        await self.attachments({**scope, "headers": headers}, receive, send)
