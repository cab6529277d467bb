"""The ASGI application of intake: routes, and never a 500."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from crm.adapters.telemetry import health
from crm.connector import Connector
from crm.envelope import now
from crm.log import Clock, Log
from crm.oauth_link import PATH as OAUTH
from crm.rereads import PATH as REREAD
from services.intake.activity import ActivityCounts
from services.intake.body import Bodies, Receive
from services.intake.bulk import BulkIntake
from services.intake.callers import Callers, NoCallers
from services.intake.deliveries import Deliveries
from services.intake.directory import Directory
from services.intake.form_script import script
from services.intake.incoming import Incoming
from services.intake.large import LargeDeliveries, OpenStore
from services.intake.oauth import CallBacks, NoCallBacks
from services.intake.published_keys import PublishedKeys
from services.intake.reply import NOT_FOUND, POST_ONLY, Gone, Reply, Stop, later, public
from services.intake.request import Frontend, headers_of
from services.intake.rereads import Rereads

Send = Callable[[dict[str, Any]], Awaitable[None]]
logger = structlog.get_logger()


class Intake:
    """The application."""

    def __init__(
        self,
        directory: Directory,
        log: Log,
        connectors: Mapping[str, Connector],
        *,
        max_body: int = 1_000_000,
        max_batch_body: int = 32_000_000,
        bodies: Bodies | None = None,
        clock: Clock = now,
        frontend: Frontend = Frontend(),  # noqa: B008  # it is frozen
        keys: PublishedKeys | None = None,
        instance: str = "1",
        callers: Callers = NoCallers(),  # noqa: B008  # it has no state
        call_backs: CallBacks = NoCallBacks(),  # noqa: B008  # it has no state
        max_mail_body: int = 40_000_000,
        store: OpenStore | None = None,
    ) -> None:
        bodies, keys = bodies or Bodies(), keys or PublishedKeys(clock=clock)
        self.directory, self.log, self.call_backs = directory, log, call_backs
        self.activity = ActivityCounts(instance, clock)
        self.deliveries = Deliveries(
            directory,
            log,
            connectors,
            bodies,
            max_body,
            clock,
            frontend,
            keys,
            self.activity,
            callers,
            LargeDeliveries(store, max(max_mail_body, max_body)),
        )
        self.rereads = Rereads(directory, connectors, bodies, clock)
        self.bulk = BulkIntake(directory, log, bodies, max_batch_body, clock)

    def missing(self) -> str | None:
        """Returns why it is not ready; None when it is."""
        return self.log.missing() or self.directory.missing() or self.directory.locked()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        incoming = Incoming(receive)
        try:
            reply = await self.route(scope, incoming)
        except Stop as stop:
            reply = stop.reply
        except Gone:
            return
        except Exception:
            logger.exception("a request failed", path=scope["path"])
            reply = later("This service failed. Nothing is known to be kept. Send it again: repeats are counted once.")
        await answer(reply, scope["method"], incoming, send)

    async def route(self, scope: Mapping[str, Any], receive: Receive) -> Reply:
        path, method = scope["path"], scope["method"]
        if path.startswith("/in/"):
            id = path[4:].partition("/")[0]
            try:
                reply = await self.deliver(id, method, scope, receive)
            except Stop as stop:
                reply = stop.reply
            return public(reply) if self.deliveries.is_public(id) else reply
        if path == "/facts":
            if method == "POST":
                return await self.bulk.take(headers_of(scope), receive, scope["query_string"])
            return POST_ONLY
        if path == REREAD:
            return await self.rereads.answer(headers_of(scope), receive) if method == "POST" else POST_ONLY
        if path == OAUTH:
            return await self.call_backs.get(method, scope["query_string"])
        if path == "/form.js":
            return script(headers_of(scope), scope["query_string"])
        if known := health.answer(path, self.missing):
            return Reply(known[0], known[1], known[2].encode())
        return NOT_FOUND

    async def deliver(self, id: str, method: str, scope: Mapping[str, Any], receive: Receive) -> Reply:
        if method == "POST":
            return await self.deliveries.take(id, scope, receive)
        return self.deliveries.check(id, scope) if method in ("GET", "HEAD") else POST_ONLY


async def answer(reply: Reply, method: str, incoming: Incoming, send: Send) -> None:
    """Sends a reply. Its last part is held back until the rest of an unread body has been read."""
    length = str(len(reply.body)).encode()
    headers = [(b"content-type", reply.content_type), (b"content-length", length), *reply.headers]
    unread = method == "POST" and not incoming.ended
    if unread:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    body = b"" if method == "HEAD" else reply.body
    if unread:
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await incoming.linger()
        body = b""
    await send({"type": "http.response.body", "body": body})
