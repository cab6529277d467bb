"""connectionAuthorize and its call-back on a real Postgres and a real Kafka."""

import asyncio
from typing import Self

import httpx

from api.http.oauth import OAuthCallback
from tests.simulator.apis.oauth import agreed
from tests.simulator.in_process import InProcess
from tests.support.shop_commands import shop_commands

AUTHORIZE = """mutation ($id: ID) { connectionAuthorize(
  connector: "olx", clientId: "7", clientSecret: "hush", name: "Shop", connectionId: $id
) { link redirectUrl expiresAt warning userErrors { field code message } } }"""


class Vendors(InProcess):
    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None: ...


def test_a_link_makes_a_connection_once(database_url: str, kafka_bootstrap: str) -> None:
    """The same state twice: also for a replica that has not heard of the connection, the second one changes nothing."""
    vendors = Vendors()
    account = vendors.accounts.open("olx", "7", "hush")

    async def run() -> None:
        async with shop_commands(database_url, kafka_bootstrap, ["connect"]) as shop:
            executor = shop.executor
            transport = httpx.ASGITransport(OAuthCallback(executor, lambda: vendors))
            async with httpx.AsyncClient(transport=transport) as browser:
                link = (await shop.ask(AUTHORIZE, {}))["data"]["connectionAuthorize"]
                assert link["userErrors"] == []
                first = await browser.get(agreed(account, link["link"]))
                (connection,) = [one for one in shop.access.connections.values() if one.connector == "olx"]
                assert first.status_code == 200 and f"olx is connected ({connection.id}): Shop." in first.text
                secret = connection.secret
                assert secret.startswith("7:hush:r-code-")
                del shop.access.declared[connection.id]
                again = await browser.get(agreed(account, link["link"]))
                assert again.status_code == 400 and "This link was used before" in again.text
                assert shop.access.connections[connection.id].secret == secret
                assert len(vendors.sent) == 1  # the database knew it before the vendor was asked
                link = (await shop.ask(AUTHORIZE, {"id": connection.id}))["data"]["connectionAuthorize"]
                call_back = agreed(account, link["link"])
                answers = await asyncio.gather(*(browser.get(call_back) for _ in range(3)))
                assert sorted(answer.status_code for answer in answers) == [200, 400, 400]
                (renewed,) = [answer for answer in answers if answer.status_code == 200]
                assert "olx has the new permission" in renewed.text and len(vendors.sent) == 2
                assert shop.access.connections[connection.id].secret not in ("", secret)
                held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
                async with executor.connection("test") as conn:
                    before = await (await conn.execute(held)).fetchone()
                    async with executor.once(connection.id) as first, executor.once(connection.id) as second:
                        assert first and second is None
                    async with executor.once(connection.id) as again:
                        assert again
                    assert await (await conn.execute(held)).fetchone() == before

    asyncio.run(run())
