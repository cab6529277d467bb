"""A vendor in memory that is asked by the real role on a clock of the test's own."""

import asyncio
from collections.abc import Callable, Coroutine, Generator, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from urllib.parse import parse_qsl

import httpx
import msgspec

from crm.adapters.memory.log import MemoryLog
from crm.connector import Connection, Connector, Delivery, Report
from crm.connector_poll import DAY, SECOND, Ask, Auth, ByTime, Poll, Turn
from crm.connector_proofs import ApiKey
from crm.contract.codec import decode
from crm.envelope import Fact
from crm.facts import ConnectionPolled, DeliveryKept
from crm.poll_paging import next_number
from crm.scalars import Id, Micros
from crm.topics import CURSORS
from services.polling.account import Account
from services.polling.accounts import Accounts
from services.polling.schedule import Schedule
from services.polling.turns import Turns
from services.polling.vendor import Vendors

NOW = 1_791_190_860 * SECOND
Answer = tuple[int, Any, Mapping[str, str]]
Vendor = Callable[[httpx.Request, dict[str, str]], Answer]


class Others:
    """Awaited, it lets everything else of the loop go on once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class FakeClock:
    def __init__(self, at: int = NOW) -> None:
        self.at = at

    def __call__(self) -> Micros:
        return Micros(self.at)

    def forward(self, seconds: float) -> None:
        self.at += int(seconds * SECOND)


class MemoryVendor(httpx.AsyncBaseTransport):
    """Answers by a function of the request and its parameters; `requests` is what came, with the time."""

    def __init__(self, clock: FakeClock, answer: Vendor) -> None:
        self.clock, self.answer = clock, answer
        self.requests: list[tuple[int, httpx.Request]] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append((self.clock.at, request))
        await Others()
        status, body, headers = self.answer(request, dict(parse_qsl(request.url.query.decode())))
        content = body if isinstance(body, bytes) else msgspec.json.encode(body)
        return httpx.Response(status, content=content, headers={"content-type": "application/json", **headers})

    @property
    def queries(self) -> list[dict[str, str]]:
        return [dict(parse_qsl(request.url.query.decode())) for _, request in self.requests]


def parse(delivery: Delivery, _: Connection) -> Iterator[Report]:
    """An item is {"id", "at"?}; the fact is that it was kept."""
    item = msgspec.json.decode(delivery.body)
    kept = partial(DeliveryKept, connector="acme", kind="item")
    yield Report(str(item["id"]), "", Micros(item.get("at", delivery.received_at)), kept)


def connector_of(poll: Poll, name: str = "acme") -> Connector:
    return Connector(name, "forms", None, "Acme", ApiKey("the key"), poll=poll)


def connection_of(number: int = 1, secret: str = "key", connector: str = "acme", **settings: str) -> Connection:
    id = Id(f"00000000-0000-4000-8000-{number:012}")
    return Connection(id, Id("00000000-0000-4000-9000-000000000001"), connector, secret, settings)


class Rig:
    """The role without Kafka: `ask` runs everything that is due now, `forward` lets time pass as the role would."""

    def __init__(self, poll: Poll, answer: Vendor, *connections: Connection, **options: Any) -> None:
        self.clock = FakeClock()
        self.vendor = MemoryVendor(self.clock, answer)
        self.log = MemoryLog()
        self.connections: dict[str, Connection] = {one.id: one for one in connections or (connection_of(),)}
        self.poll, self.options = poll, options
        self.start()

    def start(self) -> None:
        """As after a crash: everything in memory is gone, what was written is there."""
        self.vendors = Vendors(self.clock, {}, self.vendor)
        self.turns = Turns(self.vendors, self.log, self.clock, jitter=lambda: 1.0, **self.options)
        self.schedule = Schedule(self.turns, self.clock)
        connectors, seal = {"acme": connector_of(self.poll)}, self.options.get("seal")
        self.accounts = Accounts(connectors, self.schedule, self.clock, seal)
        self.accounts.update(self.connections, self.states)

    async def ask(self) -> int:
        """Runs all requests that are due at this moment. Returns how many."""
        count = 0
        while self.schedule.start() or self.schedule.tasks:
            count = len(self.vendor.requests)
            await asyncio.gather(*self.schedule.tasks)
            await Others()
        return count

    async def forward(self, seconds: float) -> None:
        """Lets time pass, from one moment when something is due to the next."""
        until = self.clock.at + int(seconds * SECOND)
        await self.ask()
        while self.schedule.queue and (due := self.schedule.queue[0][0]) <= until:
            self.clock.at = max(self.clock.at, due)
            await self.ask()
        self.clock.at = until

    @property
    def account(self) -> Account:
        return next(iter(self.accounts.accounts.values()))

    @property
    def state(self) -> ConnectionPolled:
        return self.account.state

    @property
    def states(self) -> dict[str, ConnectionPolled]:
        found = {}
        for record in self.log.topics[CURSORS.name]:
            fact = decode(record.value or b"")
            assert isinstance(fact, ConnectionPolled)
            found[str(fact.connection)] = fact
        return found

    @property
    def facts(self) -> list[Any]:
        """Facts as they were written, repeats too."""
        written = [record for name, topic in self.log.topics.items() if name != CURSORS.name for record in topic]
        return [fact for record in written if isinstance(fact := decode(record.value or b""), Fact)]

    @property
    def items(self) -> list[str]:
        """The ids of the items that are kept, each once, sorted."""
        return sorted({str(msgspec.json.decode(fact.raw.body)["id"]) for fact in self.facts})


def run(test: Callable[[], Coroutine[None, None, None]]) -> None:
    """Runs a test that is a coroutine."""
    asyncio.run(test())


def numbered(ids: Sequence[int]) -> list[dict[str, int]]:
    return [{"id": each} for each in ids]


BASE = "https://api.acme.example"


def ask(turn: Turn) -> Ask:
    return Ask("/items", {"from": str(turn.since // SECOND), "to": str(turn.until // SECOND)})


def by_time(**changes: Any) -> Poll:
    options: dict[str, Any] = {
        "auth": Auth("x-key", ""),
        "parse": parse,
        "items": ("items",),
        "paging": next_number("page", ("items",), 2),
        "cursor": ByTime(overlap=600),
        "back": DAY,
    }
    return Poll(BASE, ask, **{**options, **changes})


def pages(*lists: list[int]) -> Any:
    """A vendor whose pages of every walk are these."""

    def answer(request: httpx.Request, query: dict[str, str]) -> Any:
        number = int(query.get("page", "1"))
        return 200, {"items": numbered(lists[number - 1] if number <= len(lists) else [])}, {}

    return answer
