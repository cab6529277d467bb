"""The routes of the vendors' APIs, and what they share. An API is in tests/simulator/apis."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.simulator.accounts import Account, Accounts, Refusal

Body = dict[str, Any] | list[Any]
Handler = Callable[[Accounts, Request], Awaitable[Any]]
Visit = Callable[..., Awaitable[httpx.Response]]  # how a vendor looks at an address: method, url, ...
H = TypeVar("H", bound=Handler)
ROUTES: list[tuple[str, str, Handler]] = []


def route(vendor: str, method: str, path: str) -> Callable[[H], H]:
    def registered(handler: H) -> H:
        ROUTES.append((method, f"/{vendor}{path}", handler))
        return handler

    return registered


def vendor_apis(accounts: Accounts, visit: Visit) -> Starlette:
    """Returns the application. What matches nothing is noted, and a test must then fail."""

    def endpoint(handler: Handler, vendor: str) -> Callable[[Request], Awaitable[Response]]:
        async def answer(request: Request) -> Response:
            request.state.visit = visit
            if (trouble := accounts.trouble.get(vendor)) is not None:
                return troubled(trouble)
            try:
                made = await handler(accounts, request)
            except Refusal as refusal:
                return JSONResponse(refusal.body, refusal.status, refusal.headers)
            return Response(status_code=204) if made is None else JSONResponse(made)

        return answer

    async def unmatched(request: Request) -> Response:
        accounts.unmatched.append(f"{request.method} {request.url.path}")
        return Response(status_code=404)

    routes = [Route(path, endpoint(handler, path.split("/")[1]), methods=[method]) for method, path, handler in ROUTES]
    return Starlette(routes=[*routes, Route("/{path:path}", unmatched, methods=["GET", "POST", "PUT", "DELETE"])])


def troubled(kind: str) -> Response:
    """Returns an answer of a vendor that is in trouble."""
    match kind:
        case "429":
            return JSONResponse({"error": "slow down"}, 429, {"retry-after": "30"})
        case "html":
            return Response("<html><h1>We are working on it</h1></html>", 200, media_type="text/html")
        case "redirect":
            return Response(status_code=302, headers={"location": "http://169.254.169.254/"})
        case "huge":
            return Response(b"[" + b"0," * 600_000 + b"0]", media_type="application/json")
    return JSONResponse({"error": "internal"}, int(kind))


def bearer(accounts: Accounts, request: Request, vendor: str, words: Body) -> Account:
    return accounts.of(request, vendor, request.headers["authorization"].removeprefix("Bearer "), Refusal(401, words))


def drop(account: Account, id: str) -> None:
    account.hooks = [hook for hook in account.hooks if hook.id != id]


def vendors() -> Iterable[str]:
    """Returns the vendors that have an API here."""
    return sorted({path.split("/")[1] for _, path, _ in ROUTES})
