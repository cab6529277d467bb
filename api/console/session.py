"""Who is at the console: the token that was given at the sign-in, in a cookie that no script can read.

Another site's page cannot use it: browsers send the cookie with links from outside, never with requests that change
something, and such a request must come from a page of ours.
"""

from http import HTTPStatus
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE = "potik"
POSITION = "potik_position"
POSITION_SECONDS = 10
PATH = "/console"
OURS = "same-origin", "none"
NOT_OURS = "This request did not come from a page of the console. Nothing was changed."


def token_of(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def sign_in(request: Request, response: Response, token: str) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, token, path=PATH, httponly=True, samesite="lax", secure=secure)


def sign_out(response: Response) -> None:
    response.delete_cookie(COOKIE, path=PATH, httponly=True, samesite="lax")


def not_ours() -> Response:
    """Answers a request that changes something and is not from us."""
    return Response(NOT_OURS, HTTPStatus.FORBIDDEN, media_type="text/plain")


def is_from_us(request: Request) -> bool:
    """Whether a request that changes something comes from a page of ours."""
    if site := request.headers.get("sec-fetch-site"):
        return site in OURS
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host", "")


def position_of(request: Request) -> str:
    """Returns the position of what this person changed last, while that may not be in every read model."""
    return request.cookies.get(POSITION, "")


def keep_position(response: Response, position: str) -> None:
    response.set_cookie(POSITION, position, path=PATH, httponly=True, samesite="strict", max_age=POSITION_SECONDS)
