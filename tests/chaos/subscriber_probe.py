"""A client that follows a workspace's journal through the API and resumes with its cursor after each disconnect."""

import asyncio
from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import msgspec
import structlog
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException
from websockets.typing import Subprotocol

from crm.scalars import Id
from crm.topics import JOURNAL
from tests.chaos.observed_events import ObservedEvents

PROTOCOL = Subprotocol("graphql-transport-ws")
QUERY = "subscription ($after: String) { events(after: $after) { cursor next events { partition position id } } }"
RETRY_SECONDS = 0.2
SILENCE = 10.0  # seconds: a server that says nothing at all for so long is left for the next
LARGEST = 16_000_000  # bytes of a message
log = structlog.get_logger()


class Seen(msgspec.Struct):
    """The fields of an event that the probe selects."""

    partition: int
    position: int
    id: Id


class Page(msgspec.Struct):
    """One message: events, and the journal's positions after them."""

    cursor: str
    next: list[int]
    events: list[Seen]


class Data(msgspec.Struct):
    """The answer's data."""

    events: Page


class Payload(msgspec.Struct):
    """The answer; without data when it is an error."""

    data: Data | None = None
    errors: Any = None


class Message(msgspec.Struct):
    """A message of graphql-transport-ws."""

    type: str
    payload: Any = None


DECODER = msgspec.json.Decoder(Message)


class SubscriptionEnded(Exception):
    """The server ended the subscription."""


class SubscriberProbe:
    """Collects events in `observed` while `run` runs: from `after` on, by default from the beginning of the journal."""

    def __init__(self, graphql_urls: Sequence[str], token: str, workspace: Id, after: str | None = "0") -> None:
        self.urls = cycle(f"ws{url.removeprefix('http')}" for url in graphql_urls)
        self.token, self.cursor = token, after
        self.observed = ObservedEvents(workspace, {})
        self.next = [0] * JOURNAL.partitions
        self.moved = asyncio.Event()
        self.connections = 0

    async def run(self) -> None:
        """Until cancelled."""
        for url in self.urls:
            try:
                async with connect(
                    url, subprotocols=[PROTOCOL], proxy=None, max_size=LARGEST, open_timeout=5, close_timeout=1
                ) as socket:
                    self.connections += 1
                    await self.follow(socket)
            except (OSError, WebSocketException, SubscriptionEnded) as error:
                log.debug("the subscriber was cut off; it reconnects", url=url, error=repr(error))
            await asyncio.sleep(RETRY_SECONDS)

    async def follow(self, socket: ClientConnection) -> None:
        await say(socket, {"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}})
        await heard(socket)
        payload = {"query": QUERY, "variables": {"after": self.cursor}}
        await say(socket, {"id": "1", "type": "subscribe", "payload": payload})
        while True:
            message = await heard(socket)
            if message.type == "ping":
                await say(socket, {"type": "pong"})
            elif message.type == "next":
                self.take(msgspec.convert(message.payload, Payload))
            else:
                raise SubscriptionEnded(message.payload)

    def take(self, payload: Payload) -> None:
        if payload.data is None:
            raise SubscriptionEnded(payload.errors)
        page = payload.data.events
        for event in page.events:
            self.observed.seen.setdefault(event.partition, []).append((event.position, event.id))
        self.cursor, self.next = page.cursor, page.next
        self.moved.set()
        self.moved = asyncio.Event()

    async def caught_up(self, heads: Mapping[int, int]) -> None:
        """Waits until all events below these positions were received, by partition."""
        while any(self.next[partition] < head for partition, head in heads.items()):
            await self.moved.wait()


async def say(socket: ClientConnection, message: Mapping[str, Any]) -> None:
    await socket.send(msgspec.json.encode(message).decode())


async def heard(socket: ClientConnection) -> Message:
    """Receives a message. Raises TimeoutError, which is an OSError, when none comes."""
    async with asyncio.timeout(SILENCE):
        return DECODER.decode(await socket.recv())
