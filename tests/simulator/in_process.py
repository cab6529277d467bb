"""The simulated vendors without any socket, for unit tests."""

from dataclasses import dataclass, field

import httpx

from crm.activation.answers import VendorAnswer
from crm.activation.requests import VendorRequest
from tests.simulator.accounts import Accounts
from tests.simulator.apis import vendor_apis

URL = "https://crm.example.com/in/00000000-0000-4000-8000-00000000000b"


@dataclass
class InProcess:
    """Asks simulated vendors. `visited`: their requests to our address, which answers as intake does."""

    accounts: Accounts = field(default_factory=Accounts)
    visited: list[str] = field(default_factory=list)
    visit_status: int = 200
    sent: list[VendorRequest] = field(default_factory=list)

    async def visit(self, method: str, url: str, **_: object) -> httpx.Response:
        self.visited.append(f"{method} {url}")
        challenge = httpx.URL(url).params.get("hub.challenge", "")
        return httpx.Response(self.visit_status, text=challenge)

    async def __call__(self, request: VendorRequest) -> VendorAnswer:
        self.sent.append(request)
        transport = httpx.ASGITransport(vendor_apis(self.accounts, self.visit))
        async with httpx.AsyncClient(transport=transport, base_url=f"http://vendors/{request.connector}") as client:
            answer = await client.request(request.method, request.target, headers=request.headers, content=request.body)
        return VendorAnswer(answer.status_code, answer.content, answer.headers.get("retry-after", ""))

    async def until_known(self, url: str) -> None: ...

    def override(self, connector: str) -> str:
        return ""
