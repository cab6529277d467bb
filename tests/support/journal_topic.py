"""A journal topic for one test, and websocket clients that follow it."""

import asyncio
import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from aiokafka import AIOKafkaProducer
from websockets.sync.client import ClientConnection, connect

from crm.contract.codec import encode
from crm.envelope import Event
from crm.topics import JOURNAL, journal_partition
from services.stack.topics import create_missing
from tests.support.graphql_server import PROTOCOL, ApiServer
from tests.support.timeouts import TIMEOUT

EventPosition = tuple[int, int, str]  # partition, position, the event's id
PAGES = "cursor next events { partition position id }"


class JournalTopic:
    """Records as the relay writes them. `published`: its content without repeats."""

    def __init__(self, bootstrap: str) -> None:
        self.bootstrap, self.name = bootstrap, f"journal-{uuid4().hex[:8]}"
        self.next = [0] * JOURNAL.partitions
        self.published: list[tuple[int, int, Event]] = []
        asyncio.run(create_missing(bootstrap, topics=[replace(JOURNAL, name=self.name)]))

    def publish(self, events: Iterable[Event]) -> None:
        asyncio.run(self.send(list(self.placed(events))))

    def placed(self, events: Iterable[Event]) -> Iterator[tuple[int, int, Event]]:
        for event in events:
            partition = journal_partition(event.meta.stream)
            self.published.append((partition, self.next[partition], event))
            self.next[partition] += 1
            yield self.published[-1]

    def repeat(self, count: int) -> None:
        """Repeats the last records, as a relay does that died before it saw the acknowledgement."""
        asyncio.run(self.send(self.published[-count:]))

    async def send(self, placed: Sequence[tuple[int, int, Event]], value: bytes | None = None) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=5)
        await producer.start()
        sending = []
        for partition, position, event in placed:
            headers = [
                ("ce_id", event.meta.id.encode()),
                ("ce_type", type(event).__name__.encode()),
                ("position", str(position).encode()),
            ]
            key, body = event.meta.stream.encode(), value or encode(event)
            sending.append(await producer.send(self.name, body, key, partition=partition, headers=headers))
        await asyncio.gather(*sending)
        await producer.stop()

    def of(self, workspace: str) -> list[EventPosition]:
        return sorted((p, at, e.meta.id) for p, at, e in self.published if e.meta.workspace == workspace)


@contextmanager
def subscribe_events(
    api: ApiServer,
    after: str | None = None,
    token: str = "crm_live_shop",
    fields: str = PAGES,
    types: Sequence[str] | None = None,
) -> Iterator[ClientConnection]:
    query = f"subscription($after: String, $types: [String!]) {{ events(after: $after, types: $types) {{ {fields} }} }}"
    with connect(f"ws://127.0.0.1:{api.port}/graphql", subprotocols=[PROTOCOL], proxy=None, open_timeout=TIMEOUT) as ws:
        ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {token}"}}))
        assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}
        payload = {"query": query, "variables": {"after": after, "types": types}}
        ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": payload}))
        yield ws


def next_page(ws: ClientConnection) -> dict[str, Any]:
    message = json.loads(ws.recv(TIMEOUT))
    assert message["type"] == "next" and "errors" not in message["payload"], message
    found: dict[str, Any] = message["payload"]["data"]["events"]
    return found


def next_error(ws: ClientConnection) -> tuple[str, str]:
    message = json.loads(ws.recv(TIMEOUT))
    while message["type"] != "error":
        message = json.loads(ws.recv(TIMEOUT))
    (error,) = message["payload"]
    return error["extensions"]["code"], error["message"]


def read_until(ws: ClientConnection, until: Sequence[int]) -> tuple[list[EventPosition], list[str]]:
    """Reads pages up to these positions. Returns their events and cursors in order."""
    positions: list[EventPosition] = []
    cursors = []
    while True:
        found = next_page(ws)
        positions += [(e["partition"], e["position"], e["id"]) for e in found["events"]]
        cursors.append(found["cursor"])
        if all(map(int.__ge__, found["next"], until)):
            return positions, cursors
