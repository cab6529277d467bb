"""What changes, as server-sent events: subscriptions of our GraphQL; the ids tell a page what to ask for again."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.console.questions import document
from api.console.session import token_of
from api.errors import Unauthorized
from api.http.endpoint import MakeContext, Stream
from api.http.refusal import Refusal
from api.http.request import GraphQLRequest
from crm.adapters.telemetry.health import Ready

FEEDS = "deals", "ringing", "messages"


class Live:
    """The ASGI handler of /console/live/FEED. `after` in the address: a position; what came later is sent too."""

    def __init__(self, context: MakeContext, stream: Stream, ready: Ready) -> None:
        self.context, self.stream, self.ready = context, stream, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope)
        if (feed := request.path_params["name"]) not in FEEDS:
            return await Response(status_code=404)(scope, receive, send)
        context = self.context(f"Bearer {token_of(request)}")
        try:
            context.workspace()
        except Unauthorized:
            return await Response(status_code=503 if self.ready() else 401)(scope, receive, send)
        variables = {"after": request.query_params.get("after") or None}
        try:
            await self.stream(
                GraphQLRequest(document(f"live_{feed}"), variables=variables), context, scope, receive, send
            )
        except Refusal as refusal:
            await Response(refusal.message, refusal.status)(scope, receive, send)
