"""What the server answers to programs with a token, for who is signed in: files of messages and of imports."""

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from api.console.session import PATH, is_from_us, not_ours, token_of


class SignedIn:
    """The handler of an address below /console: what `handler` answers to the rest of it, for the cookie's token."""

    def __init__(self, handler: ASGIApp) -> None:
        self.handler = handler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if request.method == "POST" and not is_from_us(request):
            await not_ours()(scope, receive, send)
            return
        authorization = f"Bearer {token_of(request)}".encode("latin-1", "replace")
        headers = [(name, value) for name, value in scope["headers"] if name == b"content-length"]
        path = scope["path"].removeprefix(PATH)
        await self.handler(
            {**scope, "path": path, "headers": [*headers, (b"authorization", authorization)]}, receive, send
        )
