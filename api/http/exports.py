"""GET /exports/LINK: a file that was exported. The link is the permission, until it is over."""

from urllib.parse import quote

from api.http.endpoint import ALWAYS, Receive, Scope, Send, respond
from api.http.refusal import Refusal
from crm.adapters.export_store import ExportStore
from crm.envelope import now
from crm.exports import PATH, BadLink, Format, link_in
from crm.secret_keys import SecretKeys

TYPES = {
    Format.CSV: "text/csv; charset=utf-8",
    Format.XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    Format.PARQUET: "application/vnd.apache.parquet",
}
GONE = "The file is no longer kept. Export it once more."


class Exports:
    """The ASGI handler."""

    def __init__(self, store: ExportStore | None, keys: SecretKeys | None) -> None:
        self.store, self.keys = store, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.give(scope, send)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), "application/json", *refusal.headers)

    async def give(self, scope: Scope, send: Send) -> None:
        """Raises Refusal."""
        if scope["method"] not in ("GET", "HEAD"):
            raise Refusal(405, "METHOD_NOT_ALLOWED", "Exports are read with GET.", (b"allow", b"GET, HEAD"))
        if self.store is None or self.keys is None:
            raise Refusal(404, "NOT_FOUND", GONE)
        try:
            link = link_in(scope["path"].removeprefix(PATH), self.keys, now())
        except BadLink as error:
            raise Refusal(404, "NOT_FOUND", str(error)) from None
        request = await self.store.request(link.workspace, link.id)
        found = await self.store.content(link.workspace, link.id)
        if request is None or found is None:
            raise Refusal(404, "NOT_FOUND", GONE)
        size, parts = found
        disposition = f"attachment; filename*=UTF-8''{quote(request.name, safe='')}".encode()
        headers = [
            (b"content-type", TYPES[request.format].encode()),
            (b"content-length", b"%d" % size),
            (b"content-disposition", disposition),
            (b"referrer-policy", b"no-referrer"),
            *ALWAYS,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        if scope["method"] == "GET":
            async for part in parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})
