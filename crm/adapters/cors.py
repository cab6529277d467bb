"""Which web pages may read what this installation answers: CRM_CORS_ORIGINS, applied by Starlette's middleware."""

import re
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from starlette.middleware.cors import CORSMiddleware

ANY = "*"
ORIGIN = re.compile(r"https?://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?")
DAY = 86_400  # seconds that a browser may remember an answer to OPTIONS; Chromium takes two hours of it
REQUEST_HEADERS = (
    "authorization",
    "content-type",
    "crm-min-position",
    "idempotency-key",
    "last-event-id",
    "traceparent",
    "x-form-token",
    "x-requested-with",
)
RESPONSE_HEADERS = ("retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset")

Message = MutableMapping[str, Any]
App = Callable[[Any, Any, Any], Awaitable[None]]


class Origins(NamedTuple):
    """The origins whose pages may call from a browser. `any`: forms may be posted from every page."""

    exact: frozenset[str] = frozenset()
    any: bool = False

    @classmethod
    def read(cls, text: str) -> Self:
        """Reads CRM_CORS_ORIGINS: origins separated by commas. Raises SystemExit with a sentence."""
        given = [part.strip() for part in text.split(",") if part.strip()]
        for origin in given:
            if origin != ANY and not ORIGIN.fullmatch(origin.lower()):
                raise SystemExit(
                    f"CRM_CORS_ORIGINS names {origin!r}, which is not an origin. An origin is a scheme, a host and, "
                    "if it is not the usual one, a port, such as https://app.example.com. Separate several by commas; "
                    "`*` lets every page post forms and opens nothing else."
                )
        return cls(frozenset(origin.lower() for origin in given) - {ANY}, ANY in given)

    def for_api(self, app: App) -> App:
        """Returns the application with CORS for /graphql, /screen-pop and /attachments. `*` does not count there."""
        return self._applied(app, ("/graphql", "/screen-pop", "/attachments"), self.exact, ("GET", "HEAD", "POST"))

    def for_forms(self, app: App) -> App:
        """Returns the application with CORS for the addresses of connections, /in/..."""
        return self._applied(app, ("/in/",), frozenset([ANY]) if self.any else self.exact, ("POST",))

    def _applied(self, app: App, prefixes: tuple[str, ...], allowed: frozenset[str], methods: tuple[str, ...]) -> App:
        if not allowed:
            return app
        # Without credentials: callers prove themselves by a token, never by a cookie.
        cors = CORSMiddleware(app, allowed, methods, REQUEST_HEADERS, expose_headers=RESPONSE_HEADERS, max_age=DAY)

        async def routed(scope: Message, receive: Any, send: Any) -> None:
            inside = scope["type"] == "http" and scope["path"].startswith(prefixes)
            await (cors if inside else app)(scope, receive, send)

        return routed

    def permit_websocket(self, headers: Mapping[bytes, bytes]) -> bool:
        """Tells whether a websocket may be opened: by programs, by our own pages, and by pages of these origins.

        Without the setting every page may, as a websocket is good for nothing until it has sent a token.
        """
        origin = headers.get(b"origin", b"").decode("latin-1").lower()
        if not origin or not self.exact:
            return True
        return origin in self.exact or urlsplit(origin).netloc == headers.get(b"host", b"").decode("latin-1").lower()


NO_ORIGINS = Origins()
