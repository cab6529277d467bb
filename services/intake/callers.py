"""Who is calling, for vendors that wait for it while the telephone rings: the API is asked, for a tenth of a second."""

import asyncio
import json
from typing import Any, Protocol

import httpx
import structlog

from crm.connector import Caller
from crm.role_tokens import role_token
from crm.scalars import Id
from crm.secret_keys import SecretKeys

SECONDS = 0.08  # a vendor that hears nothing for longer lets the telephone ring without a name
QUERY = """query Ring($phone: String!) { caller(phone: $phone) {
  contact { name } answering { name email } openDeals { number title } } }"""
logger = structlog.get_logger()


class Callers(Protocol):
    """Knows people by their telephone numbers."""

    async def find(self, workspace: Id, phone: str) -> Caller | None:
        """Returns who has the number, in whatever way it is written; None when nobody is known, or not in time."""


class NoCallers:
    """Knows nobody."""

    async def find(self, workspace: Id, phone: str) -> Caller | None:
        return None


class ApiCallers:
    """Reads from the API, with a token of this role. Never raises, and never takes longer than SECONDS."""

    def __init__(self, url: str, keys: SecretKeys, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.keys = keys
        self.client = httpx.AsyncClient(base_url=url, transport=transport, timeout=None)  # see `find`

    async def find(self, workspace: Id, phone: str) -> Caller | None:
        try:
            async with asyncio.timeout(SECONDS):
                return await self.read(workspace, phone)
        except Exception as error:
            logger.warning("a caller was not looked up; the telephone rings without a name", error=repr(error))
            return None

    async def read(self, workspace: Id, phone: str) -> Caller | None:
        """Raises httpx.HTTPError, NoSecretKey, and KeyError or ValueError for an answer that is none."""
        body = json.dumps({"query": QUERY, "variables": {"phone": phone}})
        headers = {"authorization": f"Role {role_token(self.keys, workspace)}", "content-type": "application/json"}
        answer = (await self.client.post("/graphql", content=body, headers=headers)).raise_for_status().json()
        return caller_of(answer["data"]["caller"])

    async def close(self) -> None:
        await self.client.aclose()


def caller_of(found: dict[str, Any]) -> Caller | None:
    if not found["contact"]:
        return None
    owner = found["answering"] or {}
    deals = ", ".join(f"D-{deal['number']} {deal['title']}" for deal in found["openDeals"][:3])
    return Caller(found["contact"]["name"], owner.get("name", ""), owner.get("email", ""), deals)
