"""The accounts at simulated vendors: who has which key, and which webhooks are set."""

from dataclasses import dataclass, field
from itertools import count

from starlette.requests import Request


@dataclass
class Hook:
    """A webhook at a vendor."""

    id: str
    url: str
    secret: str = ""
    topic: str = ""
    on: bool = True
    error: str = ""


@dataclass
class Account:
    """A customer of a vendor. `secret`: what the vendor signs with, where it is the vendor's own."""

    vendor: str
    key: str
    secret: str = ""
    hooks: list[Hook] = field(default_factory=list)
    ids: "count[int]" = field(default_factory=lambda: count(1))

    def set(self, url: str, secret: str = "", topic: str = "", replace: bool = True) -> Hook:
        """Sets a webhook. `replace`: there is only one of a topic."""
        hook = Hook(f"hook-{next(self.ids)}", url, secret, topic)
        self.hooks = [one for one in self.hooks if not replace or one.topic != topic] + [hook]
        return hook

    @property
    def hook(self) -> Hook | None:
        return self.hooks[-1] if self.hooks else None


class Refusal(Exception):
    """The vendor's own refusal: status, and body as it words it."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        self.status, self.body, self.headers = status, body, headers


@dataclass
class Accounts:
    """All accounts by vendor and key, and each request that no vendor has a route for."""

    by_key: dict[tuple[str, str], Account] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    trouble: dict[str, str] = field(default_factory=dict)  # of a vendor's API: see vendor_apis.troubled

    def open(self, vendor: str, key: str, secret: str = "") -> Account:
        account = self.by_key[vendor, key] = Account(vendor, key, secret)
        return account

    def of(self, request: Request, vendor: str, key: str, refusal: Refusal) -> Account:
        """Returns the account of a key. Raises the vendor's refusal of a key that it does not know."""
        account = self.by_key.get((vendor, key))
        if account is None:
            raise refusal
        return account
