"""What changes, as server-sent events: subscriptions of our GraphQL; the ids tell a page what to ask for again."""

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.console.questions import document
from api.context import Context
from api.errors import Unauthorized
from api.http.endpoint import Stream
from api.http.refusal import Refusal
from api.http.request import GraphQLRequest

FEEDS = "deals", "ringing", "messages"


def live(context: Callable[[Request], Context], stream: Stream) -> Callable[[Request], Awaitable[Response]]:
    """Returns the handler of /console/live/FEED. `after` in the address: a position; what came later is sent too."""

    async def answer(request: Request) -> Response:
        name = request.path_params["name"]
        if name not in FEEDS:
            return Response(status_code=404)
        made = context(request)
        try:
            made.workspace()
        except Unauthorized:
            return Response(status_code=401)
        variables = {"after": request.query_params.get("after") or None}
        return Following(GraphQLRequest(document(f"live_{name}"), variables=variables), made, stream)

    return answer


class Following(Response):
    """A response that goes on until one side ends it."""

    def __init__(self, request: GraphQLRequest, context: Context, stream: Stream) -> None:
        super().__init__()
        self.request, self.context, self.stream = request, context, stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.stream(self.request, self.context, scope, receive, send)
        except Refusal as refusal:
            await Response(refusal.message, refusal.status)(scope, receive, send)
