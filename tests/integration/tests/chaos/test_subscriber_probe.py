"""The harness's subscriber sees a workspace's journal whole, wherever its connection is cut."""

import asyncio
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection

from api.live.journal import Journal
from crm.scalars import Id
from tests.chaos.subscriber_probe import SubscriberProbe
from tests.integration.api.live.test_events import leads
from tests.support.graphql_server import ApiServer, api_server
from tests.support.journal_topic import JournalTopic
from tests.support.shop_rows import OTHER, SHOP

CUTS = 5


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[ApiServer]:
    with api_server(database_url) as api:
        yield api


class Cut(SubscriberProbe):
    """Breaks each of its first connections at the first pages."""

    async def follow(self, socket: ClientConnection) -> None:
        if self.connections <= CUTS:
            self.cutting = asyncio.create_task(cut(self, socket))
        await super().follow(socket)


async def cut(subscriber: SubscriberProbe, socket: ClientConnection) -> None:
    await subscriber.moved.wait()
    socket.transport.abort()


@pytest.mark.parametrize("kind", [SubscriberProbe, Cut])
def test_a_watcher_sees_each_event_once(api: ApiServer, kafka_bootstrap: str, kind: type[SubscriberProbe]) -> None:
    topic = JournalTopic(kafka_bootstrap)
    api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    nobody = "http://127.0.0.1:9/graphql"
    subscriber = kind([nobody, f"http://127.0.0.1:{api.port}/graphql"], "crm_live_shop", Id(SHOP))

    async def story() -> None:
        running = asyncio.create_task(subscriber.run())
        for n in range(CUTS + 1):
            await topic.send(list(topic.placed([*leads(SHOP, f"Lead {n}"), *leads(OTHER, f"Lead {n}")])))
            await topic.send(topic.published[-4:])
            await subscriber.caught_up(dict(enumerate(topic.next)))
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(asyncio.wait_for(story(), 180))
    assert subscriber.connections == (1 if kind is SubscriberProbe else CUTS + 1)
    seen = [(partition, *one) for partition, ones in sorted(subscriber.observed.seen.items()) for one in ones]
    assert seen == topic.of(SHOP)
