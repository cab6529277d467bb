"""The demo's client: posts to intake, polls GraphQL until the card appears, and measures both."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import httpx

from crm.scalars import Id
from services.connectors.rehearsal import Post
from services.demo.vendors import SimulatedVendors

T = TypeVar("T")
POLL = 0.004  # seconds


class NotObserved(Exception):
    """The expected result did not appear. The message says what was missing."""


@dataclass(frozen=True)
class StoryResult:
    """The result of one story: milliseconds from the POST to its answer, and to the card in GraphQL."""

    name: str
    ok: bool
    accepted_ms: float
    visible_ms: float
    card: str  # the card as text, or what went wrong


class DemoClient:
    """`connections` are the demo workspace's, by connector. Their secrets are derived from `seed`."""

    def __init__(
        self,
        client: httpx.AsyncClient,
        intake_url: str,
        graphql_url: str,
        token: str,
        connections: Mapping[str, Id],
        seed: str,
        vendors: SimulatedVendors | None = None,
    ) -> None:
        self.client, self.intake_url, self.graphql_url = client, intake_url, graphql_url
        self.connections, self.seed, self.vendors = connections, seed, vendors
        self.headers = {"authorization": f"Bearer {token}"}
        self.began = 0.0
        self.accepted_ms = 0.0

    async def post(self, connector: str, delivery: Post, answer: bytes | None = None) -> None:
        """Posts a delivery. Raises NotObserved unless the vendor would accept the answer."""
        headers, body = delivery
        address = f"{self.intake_url}/in/{self.connections[connector]}"
        self.began = time.perf_counter()
        response = await self.client.post(address, content=body, headers=headers)
        self.accepted_ms = self.elapsed()
        if response.status_code != 200 or (answer is not None and response.content != answer):
            raise NotObserved(f"{connector} was answered {response.status_code} {response.text[:200]!r}")

    def elapsed(self) -> float:
        return (time.perf_counter() - self.began) * 1000

    async def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        response = await self.client.post(
            self.graphql_url, json={"query": query, "variables": variables}, headers=self.headers
        )
        answer = response.json() if response.headers.get("content-type", "").startswith("application/") else {}
        if response.status_code != 200 or answer.get("errors"):
            raise NotObserved(f"GraphQL answered {response.status_code}: {response.text[:300]}")
        data: dict[str, Any] = answer["data"]
        return data

    async def see(
        self, query: str, found: Callable[[dict[str, Any]], T | None], what: str, timeout: float = 10, **variables: Any
    ) -> tuple[T, float]:
        """Polls until `found` returns a value. Returns it and the milliseconds since the POST. Raises NotObserved."""
        while True:
            seen = found(await self.ask(query, **variables))
            if seen is not None:
                return seen, self.elapsed()
            if self.elapsed() > timeout * 1000:
                raise NotObserved(f"{what} did not appear within {timeout:.0f} s; see `crm status`")
            await asyncio.sleep(POLL)
