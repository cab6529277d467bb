"""GET /oauth/callback: where a vendor sends the browser of somebody who has agreed, or has not. Answers a plain page.

It needs no token: the state is authenticated with the keys of the installation. Intake, which the world reaches, hands
the request on to here (services/intake/oauth.py).
"""

from html import escape
from urllib.parse import parse_qs

from api.commands.executor import CommandExecutor
from api.commands.oauth import AGAIN, Clients, NotPermitted, permit
from api.errors import Unavailable
from api.http.endpoint import ALWAYS, Receive, Scope, Send, reply
from crm.activation.answers import without
from crm.adapters.vendor_http import VendorHttp
from crm.envelope import now
from crm.oauth_link import BadState, opened

HEADERS = (
    *ALWAYS,
    (b"content-security-policy", b"default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"no-referrer"),  # the address of the page has a code in it
)
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<h1>{title}</h1>
<p>{said}</p>
</html>
"""
Said = tuple[int, str, str]  # status, title, sentence


class OAuthCallback:
    """The ASGI handler. `clients` makes clients of the vendors' APIs."""

    def __init__(self, executor: CommandExecutor | None, clients: Clients = VendorHttp) -> None:
        self.executor, self.clients = executor, clients

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        status, title, said = await self.answer(scope["method"], scope["query_string"].decode("latin-1"))
        body = PAGE.format(title=escape(title), said=escape(said)).encode("utf-8", "replace")
        await reply(send, status, body, "text/html; charset=utf-8", *HEADERS)

    async def answer(self, method: str, query: str) -> Said:
        """Returns what was done. A HEAD does nothing: programs that show a preview of a link send it."""
        if method != "GET":
            return 405, "Not connected", "This address takes GET. Nothing was changed."
        if self.executor is None:
            return 503, "Not connected", "This server is read-only. Nothing was changed."
        given = {name: values[0] for name, values in parse_qs(query).items() if len(values) == 1}
        try:
            pending = opened(given.get("state", ""), self.executor.keys, now())
        except BadState as error:
            return 400, "Not connected", f"{error} {AGAIN}"
        if refused := given.get("error", ""):
            words = without(given.get("error_description", "") or refused, pending.client[1:])
            why = f"{pending.connector} says that access was not permitted: {words.rstrip('.')}."
            return 400, "Not connected", f"{why} Nothing was changed. Open the link again to permit it."
        if not given.get("code"):
            return 400, "Not connected", f"{pending.connector} sent no code. {AGAIN}"
        try:
            return 200, "Connected", await permit(self.executor, pending, given["code"], self.clients)
        except NotPermitted as no:
            return 400, "Not connected", str(no)
        except Unavailable as error:
            return 503, "Not connected", f"{error} Open the link again."
