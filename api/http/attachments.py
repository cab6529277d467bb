"""GET /attachments?ref=...: a stored file, to download and never to run."""

from urllib.parse import parse_qs, quote

from api.access import Access, Token, bearer, require
from api.errors import Forbidden, Unauthorized
from api.http.endpoint import ALWAYS, Receive, Scope, Send, reply, respond
from api.http.refusal import CHALLENGE, RETRY, Refusal
from api.schema.attachments import NO_STORE, NOT_YET
from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.telemetry.health import Ready
from crm.scalars import Id

# A browser saves it under its name. Should it be shown after all, it can run nothing and reach nothing.
SAFE = (
    (b"content-security-policy", b"sandbox; default-src 'none'; frame-ancestors 'none'"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"referrer-policy", b"no-referrer"),
)


class Attachments:
    """The ASGI handler. Who may read a workspace may read its files, and no other's."""

    def __init__(self, store: AttachmentStore | None, access: Access, ready: Ready) -> None:
        self.store, self.access, self.ready = store, access, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body, kind, name = await self.find(scope)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), "application/json", *refusal.headers)
            return
        disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}" if name else "attachment"
        await reply(send, 200, body, kind, (b"content-disposition", disposition.encode()), *ALWAYS, *SAFE)

    async def find(self, scope: Scope) -> tuple[bytes, str, str]:
        """Returns content, media type and name. Raises Refusal."""
        token = self.reader({name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]})
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Files are read with GET.", (b"allow", b"GET, HEAD"))
        ref = parse_qs(scope["query_string"].decode("latin-1")).get("ref", [""])[0]
        if not ref:
            raise Refusal(400, "BAD_REQUEST", "Say which file: ?ref= and the `ref` of the attachment, URL-encoded.")
        if self.store is None:
            raise Refusal(404, "NOT_FOUND", NO_STORE)
        workspace = Id(token.workspace)
        link = await self.store.link(workspace, ref)
        if link is None:
            raise Refusal(404, "NOT_FOUND", NOT_YET)
        content = await self.store.content(workspace, link.sha256) if link.sha256 else None
        if content is None:
            raise Refusal(404, "NOT_FOUND", f"It was not stored. {link.reason}".strip())
        return content, link.media_type, link.name

    def reader(self, headers: dict[str, str]) -> Token:
        try:
            token = bearer(self.access, headers.get("authorization", ""))
        except Unauthorized as error:
            if missing := self.ready():
                raise Refusal(503, "UNAVAILABLE", f"{missing} Nothing was read; try again.", RETRY) from None
            raise Refusal(401, error.code, error.message, CHALLENGE) from None
        try:
            require(token, "read")
        except Forbidden as error:
            raise Refusal(403, error.code, error.message) from None
        return token
