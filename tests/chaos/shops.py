"""The workspaces that the load is about, and their keys."""

from uuid import uuid4

import httpx

from crm.engine.workspaces import create_workspace
from crm.scalars import Id
from services.stack.access import create_token, declare_connection
from services.stack.process import until
from tests.chaos.deliveries import Shop
from tests.chaos.stand import Stand

SHOPS, OWNERS = 3, ("olena", "taras")
PATIENCE = 30.0  # seconds


async def opened(stand: Stand, count: int = SHOPS) -> list[Shop]:
    """New ones; every intake knows them."""
    shops = [await one(stand, f"Shop {n}") for n in range(1, count + 1)]
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in stand.intake_urls:
            for shop in shops:
                await until(lambda url=url, shop=shop: unknown(http, url, shop), PATIENCE)  # type: ignore[misc]  # defaults
    return shops


async def one(stand: Stand, name: str) -> Shop:
    workspace = Id(str(uuid4()))
    await create_workspace(stand.dsn, workspace, name, owners=OWNERS)
    form = await declare_connection(stand.bootstrap, workspace, "form", f"{name}: form")
    token = await create_token(stand.bootstrap, workspace, name)
    return Shop(workspace, token.text, form)


async def unknown(http: httpx.AsyncClient, url: str, shop: Shop) -> str | None:
    """What is missing. The token was declared last: who knows it knows the connection, too."""
    headers = {"authorization": f"Bearer {shop.token}", "content-type": "application/x-ndjson"}
    answer = await http.post(f"{url}/facts", content=b"", headers=headers)
    return None if answer.status_code != 401 else f"intake answers {answer.status_code} to a new token"
