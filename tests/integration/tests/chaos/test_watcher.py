"""The harness's watcher sees a workspace's journal whole, wherever its connection is cut."""

import asyncio
from collections.abc import Iterator

import pytest
from websockets.asyncio.client import ClientConnection

from api.live.journal import Journal
from crm.scalars import Id
from tests.chaos.watcher import Watcher
from tests.integration.api.live.test_events import leads
from tests.support.graphql_server import Api, served
from tests.support.journal_topic import JournalTopic
from tests.support.shop_rows import OTHER, SHOP

CUTS = 5


@pytest.fixture(scope="module")
def api(database_url: str) -> Iterator[Api]:
    with served(database_url) as api:
        yield api


class Cut(Watcher):
    """Its connection breaks at the first pages of each of its first connections."""

    async def follow(self, socket: ClientConnection) -> None:
        if self.connections <= CUTS:
            self.cutting = asyncio.create_task(cut(self, socket))
        await super().follow(socket)


async def cut(watcher: Watcher, socket: ClientConnection) -> None:
    await watcher.moved.wait()
    socket.transport.abort()


@pytest.mark.parametrize("kind", [Watcher, Cut])
def test_a_watcher_sees_each_event_once(api: Api, kafka_bootstrap: str, kind: type[Watcher]) -> None:
    topic = JournalTopic(kafka_bootstrap)
    api.changes.hub.journal = Journal(topic.bootstrap, topic.name)
    nobody = "http://127.0.0.1:9/graphql"
    watcher = kind([nobody, f"http://127.0.0.1:{api.port}/graphql"], "crm_live_shop", Id(SHOP))

    async def story() -> None:
        running = asyncio.create_task(watcher.run())
        for n in range(CUTS + 1):
            await topic.send(list(topic.placed([*leads(SHOP, f"Lead {n}"), *leads(OTHER, f"Lead {n}")])))
            await topic.send(topic.published[-4:])
            await watcher.caught_up(dict(enumerate(topic.next)))
        running.cancel()
        await asyncio.wait([running])

    asyncio.run(asyncio.wait_for(story(), 180))
    assert watcher.connections == (1 if kind is Watcher else CUTS + 1)
    seen = [(partition, *one) for partition, ones in sorted(watcher.watched.seen.items()) for one in ones]
    assert seen == topic.of(SHOP)
