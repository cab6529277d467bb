"""Activates a connection: asks the vendor whose key it is, sets its webhook, looks whether it is still set."""

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from crm.activation.answers import VendorAnswer, VendorAway, read_answer, said, value_at, without
from crm.activation.declared import Activation, Call, Webhooks
from crm.activation.requests import VendorRequest, filled, request_of

Ask = Callable[[VendorRequest], Awaitable[VendorAnswer]]


class Checked(Struct, frozen=True, gc=False):
    """What the vendor says of a key: whose it is, and the connection's secret if it is the vendor that has one."""

    account: str
    secret: str


class Found(Struct, frozen=True, gc=False):
    """A webhook that the vendor has for the connection's URL."""

    topic: str
    id: str
    on: bool
    error: str


class Registered(Struct, frozen=True, gc=False):
    """What was done, as sentences; the vendor's secret if it said one; what failed before, in the vendor's words."""

    done: tuple[str, ...] = ()
    secret: str = ""
    errors: tuple[str, ...] = ()


class Vendor:
    """The API of one connection's vendor. `values`: the settings, and `secret`, `url` and `connection`."""

    def __init__(self, connector: str, declared: Activation, values: Mapping[str, str], ask: Ask) -> None:
        self.connector, self.declared, self.ask = connector, declared, ask
        self.values = {name: text.strip() for name, text in values.items()}  # as people paste them
        self.hidden = [*(self.values.get(name, "") for name in declared.needs), self.values.get("secret", "")]

    async def call(self, call: Call, **more: str) -> Any:
        """Returns the vendor's answer. Raises VendorSaysNo and VendorAway."""
        answer = await self.ask(request_of(self.connector, self.declared, call, {**self.values, **more}))
        return read_answer(self.connector, self.declared, answer, self.hidden)

    async def check(self) -> Checked:
        """Returns whose key it is. Raises VendorSaysNo and VendorAway."""
        tree = await self.call(self.declared.check)
        secret = self.values.get("secret", "")
        if self.declared.secret == "checked":
            secret = said(tree, self.declared.secret_at)
            if not secret:
                raise VendorAway(f"{self.connector} did not say what it signs with.")
        elif self.declared.secret == "token":
            secret = self.values["token"]
        elif not secret and self.declared.secret in ("made", "registered"):
            secret = secrets.token_urlsafe(32)  # until the vendor says its own, nobody can sign
        return Checked(said(tree, self.declared.account), secret)

    async def found(self, webhooks: Webhooks) -> list[Found]:
        """Returns the webhooks of the connection's URL."""
        tree, ours = value_at(await self.call(webhooks.call), webhooks.each), filled(webhooks.url_is, self.values)
        each = {"": tree} if not webhooks.listed else tree if isinstance(tree, dict) else dict(enumerate(tree or ()))
        return [
            Found(
                said(one, webhooks.topic),
                said(one, webhooks.id) if webhooks.id else str(name),
                not webhooks.on or said(one, webhooks.on) in webhooks.on_is,
                said(one, webhooks.error),
            )
            for name, one in each.items()
            if (said(one, webhooks.url) if webhooks.url else one) == ours
        ]

    async def register(self, replaced: bool = False) -> Registered:
        """Sets what is not set. `replaced`: also what is set, as its secret is another now.

        Raises VendorSaysNo and VendorAway.
        """
        declared, done, secret = self.declared, list[str](), ""
        if declared.register is None:
            return Registered()
        webhooks = declared.webhooks
        replaces = webhooks is not None and not webhooks.listed  # there is one webhook, and setting it replaces it
        found = await self.found(webhooks) if webhooks and not (replaced and replaces) else []
        errors = tuple(without(one.error, self.hidden) for one in found if one.error)
        if replaced and declared.unregister:
            for one in found:
                await self.call(declared.unregister, id=one.id, topic=one.topic)
            found = []
        for topic in declared.topics or ("",):
            about = f" for {topic}" if topic else ""
            here = next((one for one in found if one.topic == topic or not declared.topics), None)
            if here and here.on:
                continue
            if here and declared.repair:
                await self.call(declared.repair, id=here.id, topic=topic)
                done.append(f"The webhook{about} was switched off at {self.connector}: it is on again.")
                continue
            tree = await self.call(declared.register, topic=topic)
            if declared.secret == "registered":
                secret = said(tree, declared.secret_at)
                if not secret:
                    raise VendorAway(f"{self.connector} did not say what it signs with.")
            done.append(f"The webhook{about} is set at {self.connector}.")
        if done and declared.then:
            await self.call(declared.then)
        return Registered(tuple(done), secret, errors)

    async def unregister(self) -> list[str]:
        """Takes our webhooks away from the vendor; those of others stay. Raises VendorSaysNo and VendorAway."""
        declared = self.declared
        if declared.unregister is None or declared.webhooks is None:
            return []
        found = await self.found(declared.webhooks)
        for one in found:
            await self.call(declared.unregister, id=one.id, topic=one.topic)
        return [f"The webhook was taken away at {self.connector}."] if found else []


def can_activate(declared: Activation | None, values: Mapping[str, str]) -> bool:
    """Whether all is given that activation needs."""
    return declared is not None and all(values.get(name, "").strip() for name in declared.needs)


def unreachable(declared: Activation, url: str) -> str:
    """Returns why the vendor would not call this URL, as a sentence; empty when it would."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "The vendor calls https addresses alone, and CRM_PUBLIC_URL is another."
    if declared.ports and (parts.port or 443) not in declared.ports:
        return f"The vendor calls the ports {', '.join(map(str, declared.ports))} alone."
    return ""


def by_hand(declared: Activation, url: str) -> str:
    """Returns what is left to a person, as a sentence."""
    return filled(declared.by_hand, {"url": url})
