"""Calls as the journal has them, and a screen that follows /screen-pop."""

import asyncio
import gc
import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from itertools import chain
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.live.journal_entry import JournalEntry
from api.live.positions import BEGINNING, Positions
from crm.contract.codec import encode
from crm.envelope import Event, named_id, now
from crm.events import CallOpened, CallUpdated
from crm.scalars import Id, Micros
from crm.shared import Meta, Phone
from tests.support.graphql_server import ApiServer
from tests.support.timeouts import TIMEOUT


class Ringing:
    """The reports of one call, each a second after the one before, the first one now."""

    def __init__(self, workspace: str, contact: Id, phone: str = "", known: bool = True, name: str = "") -> None:
        self.workspace, self.contact, self.phone, self.known = Id(workspace), contact, phone, known
        self.call = name or uuid4().hex
        self.id = named_id(self.workspace, self.call)
        self.began = now()
        self.count = 0

    def meta(self) -> Meta:
        self.count += 1
        at = Micros(self.began + (self.count - 1) * 1_000_000)
        id = named_id(self.id, f"{self.count}")
        return Meta(id, self.workspace, self.contact, at, at, "telephony", id)

    def opened(self, direction: str = "in") -> CallOpened:
        phone = Phone(self.phone, self.phone)
        meta = self.meta()
        self.count -= 1  # of the same report
        return CallOpened(meta, self.id, self.contact, self.call, direction, phone, "+380441112233", self.known)

    def report(self, phase: str, employee: str = "", **more: Any) -> CallUpdated:
        said: dict[str, Any] = {"phone": Phone(self.phone, self.phone), "direction": "in", "known": self.known} | more
        meta = self.meta()
        return CallUpdated(meta, self.id, self.contact, phase, employee=employee, call=self.call, **said)

    def rings(self, employee: str = "", **more: Any) -> list[CallOpened | CallUpdated]:
        """The first report."""
        return [self.opened(), self.report("ringing", employee, **more)]


class StandInJournal:
    """A journal in memory, of one partition, for the loop of a server."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.entries: list[JournalEntry] = []
        self.moved = asyncio.Event()
        self.screens = 0

    def publish(self, events: Iterable[Event]) -> None:
        """Adds events, from another thread."""
        self.loop.call_soon_threadsafe(self.add, tuple(events))

    def add(self, events: Iterable[Event]) -> None:
        for event in events:
            headers = [("ce_type", type(event).__name__.encode())]
            self.entries.append(JournalEntry(0, len(self.entries), headers, encode(event)))
        self.moved.set()
        self.moved = asyncio.Event()

    async def follow(
        self, workspace: str, after: Positions | None, screen: bool = False
    ) -> AsyncGenerator[tuple[Positions, list[JournalEntry]]]:
        seen = len(self.entries) if after is None else after[0]
        self.screens += 1
        yield (seen, *BEGINNING[1:]), []
        while True:
            found = self.entries[seen:]
            seen += len(found)
            yield (seen, *BEGINNING[1:]), found
            if seen == len(self.entries):
                await self.moved.wait()


class Screen:
    """An open stream. `last` is the Last-Event-ID, as EventSource keeps it."""

    def __init__(self, answer: httpx.Response, last: str = "") -> None:
        self.answer, self.last = answer, last
        self.lines: Iterator[str] = answer.iter_lines()

    def events(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """As https://html.spec.whatwg.org/multipage/server-sent-events.html reads them."""
        kind, data, id = "", "", None
        for line in self.lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            match name:
                case "event":
                    kind = value
                case "data":
                    data += value
                case "id":
                    id = value
                case "" if not line:
                    self.last = self.last if id is None else id
                    if data:
                        yield kind, json.loads(data)
                    kind, data, id = "", "", None

    def next(self) -> tuple[str, dict[str, Any]]:
        return next(self.events())

    def ready(self) -> "Screen":
        """Waits for the first cursor: what is published from now on is received. Calls that ring already are next."""
        begun: list[str] = []
        for line in self.lines:
            begun.append(line)
            if line.startswith("id: "):
                self.last = line.removeprefix("id: ")
                self.lines = chain([one for one in begun if not one.startswith("retry: ")], self.lines)
                return self
        raise AssertionError("the stream ended")


def screen(
    api: ApiServer, *employees: str, token: str = "crm_live_shop", last: str = ""
) -> AbstractContextManager[Screen]:
    return screen_at(f"http://127.0.0.1:{api.port}", token, *employees, last=last)


@contextmanager
def screen_at(url: str, token: str, *employees: str, last: str = "") -> Iterator[Screen]:
    """Yields an open stream that has its first cursor."""
    headers = {"authorization": f"Bearer {token}"} | ({"last-event-id": last} if last else {})
    query = {"employee": list(employees)}
    with httpx.stream(
        "GET", f"{url}/screen-pop", params=query, headers=headers, trust_env=False, timeout=TIMEOUT
    ) as answer:
        assert answer.status_code == 200, answer.read()
        yield Screen(answer, last).ready()


def until_closed(api: ApiServer) -> None:
    """Waits until the server's streams have ended: each says goodbye to Kafka, which takes a moment."""
    while any("PopStream.follow" in repr(task) or "Journal.run" in repr(task) for task in asyncio.all_tasks(api.loop)):
        assert api.thread.is_alive()
    gc.collect()  # while warnings of unclosed sockets are ignored, not in a test that comes later


# aiokafka leaves a socket open when it is cancelled while it connects, as by a client that leaves at once.
UNCLOSED = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")


def brief(message: tuple[str, Mapping[str, Any]]) -> tuple[Any, ...]:
    """Returns the kind, and who calls whom or why it ended."""
    kind, said = message
    if kind == "end":
        return kind, said["why"]
    return kind, said["match"], [one["name"] for one in said["contacts"]], (said["employee"] or {}).get("said", "")
