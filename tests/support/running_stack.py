"""A running stack as the outside meets it: deliveries in, GraphQL out, and the positions to wait for."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psycopg
from aiokafka import AIOKafkaConsumer, TopicPartition
from prometheus_client.parser import text_string_to_metric_families
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from crm.topics import DECIDED
from services.connectors.rehearse import Post
from services.demo.connections import secret_of
from services.stack import demo_workspace, state
from services.stack.process import until
from tests.support.patience import PATIENCE
from tests.support.terminal import Person

LISTS = {
    "contacts": "id name phones emails accounts mergedInto timeline(first: 100) { nodes { id kind title text } }",
    "deals": "id number title stage owner amount { text } paid { text } held { text } fields",
    "payments": "id status parked why amount { text } refunded { text } deal { number }",
    "calls": "id phase disposition talkS employee recording",
    "conversations": "id messageCount lastText contact { id }",
    "quarantine": "id reason sha256",
}
PAGE = """query($after: String) { %s(first: 100, after: $after %s) {
  nodes { %s } pageInfo { hasNextPage endCursor } } }"""
BEHIND = """
SELECT c.consumer, c.partition, c.position, h.next FROM core.checkpoint AS c
LEFT JOIN core.journal_head AS h USING (partition)
WHERE c.topic = 'crm.journal' AND c.position + 1 <> coalesce(h.next, 0)
"""


def wait(missing: Callable[[], str | None], patience: float = PATIENCE) -> None:
    """Asks until nothing is missing. Raises RuntimeError with the last answer."""

    async def asked() -> str | None:
        try:
            return missing()
        except (httpx.HTTPError, psycopg.OperationalError) as error:  # a part of the stack was killed
            return repr(error)

    asyncio.run(until(asked, patience))


class Stack:
    """The stack that a person has started."""

    def __init__(self, person: Person, told: Any) -> None:
        self.person, self.data = person, person.data
        self.intake_url, self.graphql_url, self.token = told["intake_url"], told["graphql_url"], told["token"]
        self.demo = demo_workspace.read(self.data)
        self.http = httpx.Client(trust_env=False, timeout=120)

    def running(self) -> state.StackState:
        return state.running(self.data)

    def secret(self, connector: str) -> str:
        assert self.demo
        return secret_of(connector, self.demo.seed)

    def deliver(self, connector: str, delivery: Post, **options: Any) -> httpx.Response:
        """One POST as a vendor makes it."""
        assert self.demo
        headers, body = delivery
        address = f"{self.intake_url}/in/{self.demo.connections[connector]}"
        return self.http.post(address, content=body, headers=headers, **options)

    def takes(self, connector: str, *deliveries: Post) -> None:
        """Every one is acknowledged."""
        for delivery in deliveries:
            answer = self.deliver(connector, delivery)
            assert answer.status_code == 200, answer.text

    def facts(self, content: bytes, content_type: str = "application/json", **headers: str) -> httpx.Response:
        authorized = {"authorization": f"Bearer {self.token}", "content-type": content_type, **headers}
        return self.http.post(f"{self.intake_url}/facts", content=content, headers=authorized)

    def ask(self, query: str, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self.http.post(self.graphql_url, json={"query": query, "variables": variables}, headers=headers)
        told = answer.json()
        assert answer.status_code == 200 and "errors" not in told, answer.text
        return told["data"]

    def shows(self, query: str, expected: Any, **variables: Any) -> None:
        """Waits until the answer is exactly this."""

        def missing() -> str | None:
            told = self.ask(query, **variables)
            return None if told == expected else f"{told} instead of {expected}"

        wait(missing)

    def found(self, query: str, pick: Callable[[Any], Any], **variables: Any) -> Any:
        """Waits until `pick` finds something in the answer, and gives it."""
        seen: list[Any] = []

        def missing() -> str | None:
            told = self.ask(query, **variables)
            seen.append(pick(told))
            return None if seen[-1] else f"not in {told}"

        wait(missing)
        return seen[-1]

    def settle(self) -> None:
        """Waits until everything that Kafka has taken is decided and in every read model."""
        stack = self.running()
        ends = asyncio.run(ends_of(stack.kafka_bootstrap))

        def missing() -> str | None:
            with psycopg.connect(self.running().database_url, connect_timeout=3) as connection:
                failed = connection.execute("SELECT * FROM core.checkpoint WHERE failed IS NOT NULL").fetchall()
                assert not failed, f"stands still: {failed}"
                decided = connection.execute(
                    "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide'"
                )
                at = {(topic, partition): offset for topic, partition, offset in decided}
                late = {place: (at.get(place, 0), end) for place, end in ends.items() if at.get(place, 0) < end}
                behind = connection.execute(BEHIND).fetchall()
            return f"not decided: {late}" if late else f"not projected: {behind}" if behind else None

        wait(missing)

    def nobody_waits(self) -> None:
        """Discards what other tests left in quarantine: doctor is not content while anybody waits there."""
        self.settle()
        if waiting := [one["id"] for one in self.person.asks("quarantine list")]:
            self.person.types(f"quarantine discard {' '.join(waiting)} --reason settled")

    def rows(self, name: str, given: str = "") -> list[Any]:
        """A whole list, page by page."""
        fields, found, after = LISTS[name], [], None
        while True:
            page = self.ask(PAGE % (name, given, fields), after=after)[name]
            found += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return found
            after = page["pageInfo"]["endCursor"]

    def everything(self) -> dict[str, list[Any]]:
        return {name: self.rows(name) for name in LISTS}

    @contextmanager
    def subscribed(self, query: str) -> Iterator[ClientConnection]:
        """graphql-transport-ws. It listens when the API counts one subscriber more."""
        before = self.subscribers()
        address = self.graphql_url.replace("http", "ws", 1)
        with connect(
            address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None, open_timeout=PATIENCE
        ) as ws:
            ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}))
            assert json.loads(ws.recv(PATIENCE)) == {"type": "connection_ack"}
            ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            self.until_subscribed(before)
            yield ws

    def until_subscribed(self, before: float) -> None:
        """Waits until there are more subscribers than before."""
        wait(lambda: None if self.subscribers() > before else "not subscribed")

    def subscribers(self) -> float:
        metrics = self.http.get(self.graphql_url.replace("/graphql", "/metrics")).text
        samples = [s for family in text_string_to_metric_families(metrics) for s in family.samples]
        return sum(sample.value for sample in samples if sample.name == "crm_subscriptions")


async def ends_of(bootstrap: str) -> dict[tuple[str, int], int]:
    """Where the topics that decide reads end."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        partitions = [TopicPartition(topic.name, n) for topic in DECIDED for n in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
    return {(p.topic, p.partition): end for p, end in ends.items()}
