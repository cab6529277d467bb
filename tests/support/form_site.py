"""A static site with forms, and intake on another origin, both over HTTP on a log in memory."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn

from crm.adapters.cors import NO_ORIGINS
from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.contract.codec import decode, encode
from crm.envelope import Fact
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from services.connectors import CONNECTORS
from services.intake.app import Intake
from tests.support.intake_server import meta
from tests.support.timeouts import TIMEOUT

KEY = Id("0b6f0c1e-27a4-4d0a-9d0b-5a9a3c1f7e55")
HOSTS = ("localhost", "127.0.0.1")  # two origins
HTML = "text/html; charset=utf-8"


class FormSite:
    """`pages`: the HTML by path. `policy`: the site's Content-Security-Policy; {intake} stands for intake's origin.

    `broken`: what intake does: "" works, "before" answers 503 at once, "after" keeps a form and then answers 503.
    """

    def __init__(self) -> None:
        self.log, self.access = MemoryLog(), Access()
        self.access.complete = True
        self.declare()
        self.intake: Any = NO_ORIGINS.for_forms(Intake(self.access, self.log, CONNECTORS))
        self.pages: dict[str, str] = {}
        self.posted: list[bytes] = []  # bodies that forms sent to the site itself
        self.policy, self.broken, self.url, self.intake_url = "", "", "", ""

    def declare(self, id: Id = KEY, **settings: str) -> None:
        fact = ConnectionDeclared(meta(id), id, "site-form", "", "s3cret", settings, True)
        self.access.take(id.encode(), encode(fact))

    @property
    def facts(self) -> list[Fact]:
        return [decode(record.value) for record in self.log.records if record.value]

    async def crm(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] != "POST" or not self.broken:
            await self.intake(scope, receive, send)
            return
        if self.broken == "after":

            async def nowhere(_message: Any) -> None:
                return None

            await self.intake(scope, receive, nowhere)
        await _answer(send, 503, "text/plain", b"", {"access-control-allow-origin": "*"})

    async def site(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["method"] == "POST":
            self.posted.append((await receive())["body"])
        page = self.pages.get(scope["path"])
        body = (page or "").replace("{intake}", self.intake_url).replace("{key}", KEY)
        policy = self.policy.replace("{intake}", self.intake_url)
        await _answer(send, 200 if page else 404, HTML, body.encode(), {"content-security-policy": policy})


async def _answer(send: Any, status: int, content_type: str, body: bytes, headers: dict[str, str]) -> None:
    given = [(b"content-type", content_type.encode()), *((k.encode(), v.encode()) for k, v in headers.items())]
    await send({"type": "http.response.start", "status": status, "headers": given})
    await send({"type": "http.response.body", "body": body})


class Server(uvicorn.Server):
    """Says when it listens."""

    def __init__(self, app: Any) -> None:
        super().__init__(
            uvicorn.Config(app, port=0, lifespan="off", log_config=None, ws="none", interface="asgi3", access_log=False)
        )
        self.listens = threading.Event()

    async def startup(self, sockets: Any = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @property
    def port(self) -> int:
        assert self.listens.wait(TIMEOUT)
        port: int = self.servers[0].sockets[0].getsockname()[1]
        return port


@contextmanager
def form_site() -> Iterator[FormSite]:
    site = FormSite()
    servers = [Server(site.site), Server(site.crm)]
    threads = [threading.Thread(target=asyncio.run, args=(server.serve(),)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        site.url, site.intake_url = (f"http://{host}:{s.port}" for host, s in zip(HOSTS, servers, strict=True))
        yield site
    finally:
        for server, thread in zip(servers, threads, strict=True):
            server.should_exit = True
            thread.join(TIMEOUT)
