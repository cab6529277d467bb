"""The follower of replies on a journal of the test's own: vendors, connections and facts in memory."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import replace as with_
from typing import Any

import httpx
from msgspec.structs import replace

from crm.adapters.kafka.directory import Access
from crm.adapters.memory.log import MemoryLog
from crm.connector import Connection
from crm.contract.codec import decode
from crm.envelope import named_id, now
from crm.events import ReplyQueued
from crm.facts import ReplyAttempted
from crm.scalars import Id
from crm.topics import TOPICS
from services.outbound.replies.follower import Replies
from services.outbound.replies.vendor import SendingVendors
from services.outbound.role import Outbound
from services.stack.process import until
from tests.support.intake_server import meta
from tests.support.isolated_journal import IsolatedJournal
from tests.support.records import open_connection
from tests.support.running_role import while_running
from tests.support.scenarios import CONNECTION, SHOP
from tests.support.timeouts import TIMEOUT

TOKEN = "1234567:TEST-abcdefghijklmnopqrstuvwxyz012345"
MAIL = {"reply_from": "shop@example.com", "send_key": "TEST-key", "api_key": "TEST-key"}
Answer = Callable[[dict[str, Any]], httpx.Response]


class Vendor(httpx.AsyncBaseTransport):
    """A vendor that keeps what it takes. `hang`: it takes a message and says nothing."""

    def __init__(self, *answers: tuple[int, dict[str, Any], dict[str, str]]) -> None:
        self.taken: list[str] = []
        self.requests: list[httpx.Request] = []
        self.answers = list(answers)
        self.hang = False

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answers:
            status, body, headers = self.answers.pop(0)
            return httpx.Response(status, json=body, headers=headers)
        self.taken.append((await request.aread()).decode())
        if self.hang:
            await asyncio.Event().wait()
        number = len(self.taken)
        return httpx.Response(200, json={"ok": True, "result": {"message_id": number}, "id": f"id-{number}"})

    async def idle(self) -> str | None:
        return None if self.taken else "nothing was taken"


def reply(number: int, chat: int = 1, connector: str = "telegram", **said: Any) -> ReplyQueued:
    stream, conversation = named_id(SHOP, f"card {chat}"), named_id(SHOP, f"chat {chat}")
    at = now()
    own = with_meta(named_id(stream, f"reply {number}"), stream, at)
    message = named_id(conversation, f"reply {number}")
    where = {"connection_id": CONNECTION, "connector": connector, "chat": str(chat), **said}
    return ReplyQueued(own, message, conversation, stream, f"{chat}/{number}", **where)


def with_meta(id: Id, stream: Id, at: int) -> Any:
    return replace(meta(id), workspace=SHOP, stream=stream, occurred_at=at, recorded_at=at)


class Rig:
    """What the role leaves behind, and its neighbours."""

    def __init__(self, journal: IsolatedJournal, vendor: Vendor, connector: str = "telegram") -> None:
        self.journal, self.vendor, self.log = journal, vendor, MemoryLog()
        settings = {"token": TOKEN, **MAIL}
        self.access = Access()
        self.access.complete = True
        self.access.connections[CONNECTION] = Connection(CONNECTION, SHOP, connector, "TEST-secret", settings)

    @contextlib.asynccontextmanager
    async def running(self, instance: str = "1") -> AsyncIterator[Outbound]:
        def follower(role: Outbound) -> list[Replies]:
            vendors = SendingVendors(now, {}, self.vendor)
            return [Replies(role, vendors, self.access, self.log)]

        role = Outbound(with_(self.journal.settings, instance=instance), follower, *[self.journal.topic] * 2)
        role.sender.patience = 0.0  # it ends as if it died
        async with while_running(role):
            yield role

    @property
    def reported(self) -> list[ReplyAttempted]:
        """The facts, each once."""
        records = self.log.topics[TOPICS["chats"].name]
        facts = [decode(record.value or b"") for record in records]
        return list({fact.meta.id: fact for fact in facts if isinstance(fact, ReplyAttempted)}.values())

    @property
    def outcomes(self) -> list[tuple[str, str]]:
        return [(fact.outcome, fact.message) for fact in self.reported]

    async def until_reported(self, count: int) -> None:
        async def missing() -> str | None:
            return None if len(self.reported) >= count else f"{self.outcomes}"

        await until(missing, TIMEOUT)

    async def settled(self, wanted: dict[str, int]) -> None:
        async def missing() -> str | None:
            async with await open_connection(self.journal.dsn) as conn:
                rows = await conn.execute("SELECT state, count(*) FROM outbound.delivery GROUP BY 1")
                found: dict[str, int] = dict(await rows.fetchall())
            return None if found == wanted else f"{found}, not {wanted}"

        await until(missing, TIMEOUT)

    async def keep_history(self) -> None:
        """Does what the project role does with the journal."""
        await self.journal.keep_history()
