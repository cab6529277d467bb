"""The workspaces of the load, and their credentials."""

from uuid import uuid4

import httpx

from crm.engine.workspaces import create_workspace
from crm.scalars import Id
from services.stack.access import create_token, declare_connection
from services.stack.process import until
from tests.chaos.cluster import Cluster
from tests.support.workload.deliveries import Tenant

TENANTS, OWNERS = 3, ("olena", "taras")
PATIENCE = 30.0  # seconds


async def create_tenants(cluster: Cluster, count: int = TENANTS) -> list[Tenant]:
    """Creates tenants and waits until every intake knows them."""
    tenants = [await create_tenant(cluster, f"Shop {n}") for n in range(1, count + 1)]
    async with httpx.AsyncClient(trust_env=False) as http:
        for url in cluster.intake_urls:
            for tenant in tenants:
                await until(lambda url=url, tenant=tenant: missing_tenant(http, url, tenant), PATIENCE)  # type: ignore[misc]  # defaults
    return tenants


async def create_tenant(cluster: Cluster, name: str) -> Tenant:
    workspace = Id(str(uuid4()))
    await create_workspace(cluster.dsn, workspace, name, owners=OWNERS)
    form = await declare_connection(cluster.bootstrap, workspace, "form", f"{name}: form", keys=cluster.keys)
    token = await create_token(cluster.bootstrap, workspace, name)
    return Tenant(workspace, token.text, form)


async def missing_tenant(http: httpx.AsyncClient, url: str, tenant: Tenant) -> str | None:
    """Returns what is missing. The token was declared last: an intake that knows it knows the connection too."""
    headers = {"authorization": f"Bearer {tenant.token}", "content-type": "application/x-ndjson"}
    answer = await http.post(f"{url}/facts", content=b"", headers=headers)
    return None if answer.status_code != 401 else f"intake answers {answer.status_code} to a new token"
