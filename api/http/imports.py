"""POST /imports and what follows: a file is taken, checked, run, cancelled; how far it is, which rows were refused."""

import hashlib
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import parse_qsl, quote

import msgspec

from api.access import Access, Token, bearer, require
from api.errors import Forbidden, Unauthorized
from api.http.body import next_message, read
from api.http.endpoint import ALWAYS, Receive, Scope, Send, reply, respond
from api.http.refusal import CHALLENGE, RETRY, ClientGone, Refusal
from crm.adapters.import_store import ImportStore
from crm.adapters.telemetry.health import Ready
from crm.envelope import now
from crm.imports import LARGEST, Options, Phase, Request, Status, Wish, import_id, next_request, phase_of
from crm.scalars import Id

PATH = "/imports"
SOUND = re.compile(r"[0-9a-f-]{36}")
LONGEST_OPTIONS = 200_000  # bytes
NO_STORE = "Nothing can be imported here: CRM_IMPORTS names no place for files. Nothing was kept. See docs/imports.md."
ALLOW = (b"allow", b"GET, HEAD, POST")


class Imports:
    """The ASGI handler. Who may write into a workspace may import into it."""

    def __init__(self, store: ImportStore | None, access: Access, ready: Ready) -> None:
        self.store, self.access, self.ready = store, access, ready

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self.route(scope, receive, send)
        except Refusal as refusal:
            await respond(send, refusal.status, refusal.body(), "application/json", *refusal.headers)
        except ClientGone:
            return

    async def route(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        workspace = Id(self.writer(headers).workspace)
        if self.store is None:
            raise Refusal(404, "NOT_FOUND", NO_STORE)
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        id, _, part = scope["path"].removeprefix(PATH).strip("/").partition("/")
        match scope["method"], bool(id), part:
            case "POST", False, "":
                request = await self.upload(self.store, workspace, headers, query, receive)
                await self.answer(send, self.store, request, 202)
            case "POST", True, "":
                request = await self.known_request(self.store, workspace, Id(id))
                body = await read(headers, receive, LONGEST_OPTIONS)
                said = options_in(body) if body else None
                try:
                    changed = next_request(
                        request, await self.store.status(workspace, request.id), wish_in(query), said
                    )
                except ValueError as error:
                    raise Refusal(409, "BAD_INPUT", str(error)) from None
                await self.store.ask(changed)
                await self.answer(send, self.store, changed, 202)
            case (("GET" | "HEAD"), True, ""):
                await self.answer(send, self.store, await self.known_request(self.store, workspace, Id(id)), 200)
            case (("GET" | "HEAD"), True, "failed"):
                await self.failed(send, self.store, await self.known_request(self.store, workspace, Id(id)))
            case _:
                raise Refusal(405, "METHOD_NOT_ALLOWED", "Imports are sent with POST and read with GET.", ALLOW)

    def writer(self, headers: Mapping[str, str]) -> Token:
        try:
            token = bearer(self.access, headers.get("authorization", ""))
        except Unauthorized as error:
            if missing := self.ready():
                raise Refusal(503, "UNAVAILABLE", f"{missing} Nothing was kept; try again.", RETRY) from None
            raise Refusal(401, error.code, error.message, CHALLENGE) from None
        try:
            require(token, "write")
        except Forbidden as error:
            raise Refusal(403, error.code, error.message) from None
        return token

    async def known_request(self, store: ImportStore, workspace: Id, id: Id) -> Request:
        if len(id) == 64:  # a file's SHA-256
            id = import_id(workspace, id)
        if SOUND.fullmatch(id) and (request := await store.request(workspace, id)):
            return request
        raise Refusal(404, "NOT_FOUND", "This workspace has no such import. Send the file with POST /imports.")

    async def upload(
        self, store: ImportStore, workspace: Id, headers: Mapping[str, str], query: Mapping[str, str], receive: Receive
    ) -> Request:
        """Keeps a file by its content and has it checked. The same content is the same import."""
        if int(headers.get("content-length", "0") or 0) > LARGEST:
            raise too_large()
        options = options_in(query.get("options", "").encode())
        name = query.get("name", "").replace("\\", "/").rpartition("/")[2]
        whole, size = hashlib.sha256(), 0
        with tempfile.NamedTemporaryFile(prefix="import-") as file:
            more = True
            while more:
                message = await next_message(receive)
                piece, more = message.get("body", b""), bool(message.get("more_body"))
                size += len(piece)
                if size > LARGEST:
                    raise too_large()
                whole.update(piece)
                file.write(piece)
            file.flush()
            sha256 = whole.hexdigest()
            await store.keep(workspace, sha256, Path(file.name))
        id = import_id(workspace, sha256)
        before = await store.request(workspace, id)
        at, count = (before.uploaded_at, before.number) if before else (now(), 0)
        request = Request(id, workspace, name[:200] or "file", sha256, size, at, Wish.CHECK, options, count + 1)
        await store.ask(request)
        return request

    async def answer(self, send: Send, store: ImportStore, request: Request, status: int) -> None:
        """What was asked for, and how far it is; what the role says of an earlier request is not shown."""
        known = await store.status(request.workspace, request.id)
        if known is None or phase_of(request, known) is Phase.WAITING:
            known = Status(request.id, name=request.name)
        said = {"size": request.size, "wish": request.wish, "uploaded_at": request.uploaded_at}
        body = msgspec.json.encode({**msgspec.structs.asdict(known), **said})
        await reply(send, status, body, "application/json", *ALWAYS)

    async def failed(self, send: Send, store: ImportStore, request: Request) -> None:
        known = await store.status(request.workspace, request.id)
        rows = await store.failed(request.workspace, request.id) if known and known.failed else None
        if rows is None or known is None:
            raise Refusal(404, "NOT_FOUND", "No row of it was refused, as far as it is.")
        disposition = f"attachment; filename*=UTF-8''{quote(known.failed, safe='')}".encode()
        headers = [(b"content-type", b"text/csv"), (b"content-disposition", disposition), *ALWAYS]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        async for part in rows:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})


def options_in(body: bytes) -> Options:
    """Raises Refusal."""
    try:
        return msgspec.json.decode(body, type=Options) if body.strip() else Options()
    except (msgspec.DecodeError, ValueError) as error:
        raise Refusal(400, "BAD_REQUEST", f"The options cannot be read: {error}. Nothing was changed.") from None


def wish_in(query: Mapping[str, str]) -> Wish:
    try:
        return Wish(query.get("wish", ""))
    except ValueError:
        raise Refusal(400, "BAD_REQUEST", f"Say ?wish= and one of {', '.join(Wish)}. Nothing was changed.") from None


def too_large() -> Refusal:
    why = f"The file is larger than {LARGEST:,} bytes. Nothing was kept. Split it: rows of several files go together."
    return Refusal(413, "TOO_LARGE", why, (b"connection", b"close"))
