"""GET /oauth/callback, handed on to the API: the world reaches intake, and only the API may change what there is."""

import logging
from typing import Protocol

import httpx
import structlog

from crm.oauth_link import PATH
from services.intake.reply import NOT_FOUND, Headers, Reply, later, sentence

SECONDS = 30.0  # the API asks the vendor meanwhile
KEPT = ("cache-control", "content-security-policy", "referrer-policy", "x-content-type-options")
AWAY = "The API does not answer. `crm integrations` tells whether the connection was made; if not, open the link again."
GET_ONLY = sentence(405, "This address takes GET. Nothing was changed.", ((b"allow", b"GET"),))
logging.getLogger("httpx").setLevel(logging.WARNING)  # it logs each URL, and this one has a code in it
logger = structlog.get_logger()


class CallBacks(Protocol):
    """Ends what a link began."""

    async def get(self, method: str, query: bytes) -> Reply:
        """Returns a page for the person who has agreed at the vendor."""


class NoCallBacks:
    """There is no API to hand them on to."""

    async def get(self, method: str, query: bytes) -> Reply:
        return NOT_FOUND


class ApiCallBacks:
    """Hands them on to the API as they are. Never raises."""

    def __init__(self, url: str, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.client = httpx.AsyncClient(base_url=url, transport=transport, timeout=SECONDS)

    async def get(self, method: str, query: bytes) -> Reply:
        if method != "GET":
            return GET_ONLY
        try:
            answer = await self.client.get(httpx.URL(PATH, query=query))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            logger.warning("a call-back of a vendor was not handed on to the API", error=type(error).__name__)
            return later(AWAY)
        headers: Headers = tuple((n.encode(), answer.headers[n].encode()) for n in KEPT if n in answer.headers)
        kind = answer.headers.get("content-type", "text/plain; charset=utf-8")
        return Reply(answer.status_code, answer.content, kind.encode(), headers)

    async def close(self) -> None:
        await self.client.aclose()
