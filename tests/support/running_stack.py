"""A running stack from outside: deliveries in, GraphQL out, and positions to wait for."""

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

from crm.secret_keys import SecretKeys
from crm.topics import DECIDED
from services.demo.connections import secret_of, settings_of
from services.stack import demo_workspace, state
from services.stack.access import declare_connection
from services.stack.process import until
from services.stack.secret_keys import NAME
from tests.support.rehearse import Post
from tests.support.terminal import Terminal
from tests.support.timeouts import TIMEOUT

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


def wait_until(missing: Callable[[], str | None], patience: float = TIMEOUT) -> None:
    """Polls until nothing is missing, each pause a twentieth of the time so far. Raises RuntimeError."""

    async def missing_now() -> str | None:
        try:
            return missing()
        except (httpx.HTTPError, psycopg.OperationalError) as error:  # a part of the stack was killed
            return repr(error)

    asyncio.run(until(missing_now, patience, slower=1.05))


class RunningStack:
    """The stack that was started from a terminal."""

    def __init__(self, terminal: Terminal, addresses: Any) -> None:
        self.terminal, self.data = terminal, terminal.data
        self.intake_url, self.graphql_url, self.token = (
            addresses["intake_url"],
            addresses["graphql_url"],
            addresses["token"],
        )
        self.demo = demo_workspace.read(self.data)
        self.session: psycopg.Connection[Any] | None = None
        self.dsn = ""
        self.http = httpx.Client(trust_env=False, timeout=TIMEOUT)  # it ends an idle connection before the servers do

    def close(self) -> None:
        """Closes the connections. The stack runs on."""
        self.http.close()
        if self.session:
            self.session.close()

    def running(self) -> state.StackState:
        return state.running(self.data)

    def secret(self, connector: str) -> str:
        assert self.demo
        return secret_of(connector, self.demo.seed)

    def deliver(self, connector: str, delivery: Post, **options: Any) -> httpx.Response:
        """Sends one delivery as a vendor does."""
        headers, body = delivery
        return self.http.post(self.address_of(connector), content=body, headers=headers, **options)

    def address_of(self, connector: str) -> str:
        """Where its vendor delivers to. A connector that is not in the demo is connected first, as if it were."""
        assert self.demo
        if connector not in self.demo.connections:
            about = self.demo.workspace, connector, connector, self.secret(connector)
            settings, keys = settings_of(connector, self.demo.seed), SecretKeys(file=self.data / NAME)
            made = declare_connection(self.running().kafka_bootstrap, *about, settings, keys=keys)
            self.demo.connections[connector] = asyncio.run(made)
            address = f"{self.intake_url}/in/{self.demo.connections[connector]}"
            wait_until(lambda: f"{connector} is unknown" if self.http.post(address).status_code == 404 else None)
        return f"{self.intake_url}/in/{self.demo.connections[connector]}"

    def accepts(self, connector: str, *deliveries: Post) -> None:
        """Sends deliveries and checks that each is acknowledged."""
        for delivery in deliveries:
            answer = self.deliver(connector, delivery)
            assert answer.status_code == 200, answer.text

    def facts(self, content: bytes, content_type: str = "application/json", **headers: str) -> httpx.Response:
        authorized = {"authorization": f"Bearer {self.token}", "content-type": content_type, **headers}
        return self.http.post(f"{self.intake_url}/facts", content=content, headers=authorized)

    def ask(self, query: str, **variables: Any) -> Any:
        headers = {"authorization": f"Bearer {self.token}"}
        answer = self.http.post(self.graphql_url, json={"query": query, "variables": variables}, headers=headers)
        body = answer.json()
        assert answer.status_code == 200 and "errors" not in body, answer.text
        return body["data"]

    def wait_for_answer(self, query: str, expected: Any, **variables: Any) -> None:
        """Waits until the answer is exactly this."""

        def missing() -> str | None:
            data = self.ask(query, **variables)
            return None if data == expected else f"{data} instead of {expected}"

        wait_until(missing)

    def ask_when_settled(self, query: str, **variables: Any) -> Any:
        """Asks when every read model has folded all facts: an answer made of several read models is then whole."""
        self.settle()
        return self.ask(query, **variables)

    def wait_for_match(self, query: str, pick: Callable[[Any], Any], **variables: Any) -> Any:
        """Waits until `pick` finds something in the answer and returns it.

        Only for one read model: another one, of the same answer, may be behind it.
        """
        seen: list[Any] = []

        def missing() -> str | None:
            data = self.ask(query, **variables)
            seen.append(pick(data))
            return None if seen[-1] else f"not in {data}"

        wait_until(missing)
        return seen[-1]

    def settle(self) -> None:
        """Waits until all facts in Kafka are decided and in every read model."""
        stack = self.running()
        ends = asyncio.run(ends_of(stack.kafka_bootstrap))

        def missing() -> str | None:
            connection = self.connection()
            failed = connection.execute("SELECT * FROM core.checkpoint WHERE failed IS NOT NULL").fetchall()
            assert not failed, f"halted: {failed}"
            decided = connection.execute(
                "SELECT topic, partition, next_offset FROM core.checkpoint WHERE consumer = 'decide'"
            )
            at = {(topic, partition): offset for topic, partition, offset in decided}
            late = {place: (at.get(place, 0), end) for place, end in ends.items() if at.get(place, 0) < end}
            behind = connection.execute(BEHIND).fetchall()
            return f"not decided: {late}" if late else f"not projected: {behind}" if behind else None

        wait_until(missing)

    def connection(self) -> psycopg.Connection[Any]:
        """Returns a session with Postgres, the same one while it lives and Postgres has not moved."""
        dsn = self.running().database_url
        if self.session is None or self.session.closed or self.dsn != dsn:
            self.session, self.dsn = psycopg.connect(dsn, autocommit=True, connect_timeout=3), dsn
        return self.session

    def empty_quarantine(self) -> None:
        """Discards what other tests left in quarantine: doctor reports waiting leads."""
        self.settle()
        if waiting := [one["id"] for one in self.terminal.run_json("quarantine list")]:
            self.terminal.run(f"quarantine discard {' '.join(waiting)} --reason settled")

    def rows(self, name: str, given: str = "") -> list[Any]:
        """Reads a whole list, page by page."""
        fields, wait_for_match, after = LISTS[name], [], None
        while True:
            page = self.ask(PAGE % (name, given, fields), after=after)[name]
            wait_for_match += page["nodes"]
            if not page["pageInfo"]["hasNextPage"]:
                return wait_for_match
            after = page["pageInfo"]["endCursor"]

    def all_rows(self) -> dict[str, list[Any]]:
        return {name: self.rows(name) for name in LISTS}

    @contextmanager
    def subscribed(self, query: str) -> Iterator[ClientConnection]:
        """Subscribes over graphql-transport-ws and waits until the API counts one more subscriber."""
        before = self.subscribers()
        address = self.graphql_url.replace("http", "ws", 1)
        with connect(
            address, subprotocols=[Subprotocol("graphql-transport-ws")], proxy=None, open_timeout=TIMEOUT
        ) as ws:
            ws.send(json.dumps({"type": "connection_init", "payload": {"authorization": f"Bearer {self.token}"}}))
            assert json.loads(ws.recv(TIMEOUT)) == {"type": "connection_ack"}
            ws.send(json.dumps({"id": "1", "type": "subscribe", "payload": {"query": query}}))
            self.until_subscribed(before)
            yield ws

    def until_subscribed(self, before: float) -> None:
        """Waits until there are more subscribers than before."""
        wait_until(lambda: None if self.subscribers() > before else "not subscribed")

    def subscribers(self) -> float:
        metrics = self.http.get(self.graphql_url.replace("/graphql", "/metrics")).text
        samples = [s for family in text_string_to_metric_families(metrics) for s in family.samples]
        return sum(sample.value for sample in samples if sample.name == "crm_subscriptions")


async def ends_of(bootstrap: str) -> dict[tuple[str, int], int]:
    """Returns the end offsets of the topics that decide reads."""
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap) as consumer:
        partitions = [TopicPartition(topic.name, n) for topic in DECIDED for n in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
    return {(p.topic, p.partition): end for p, end in ends.items()}
