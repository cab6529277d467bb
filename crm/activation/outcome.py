"""What activation came to: for people, for programs, and for the caller that declares the connection."""

from collections.abc import Mapping
from typing import Protocol

from msgspec import Struct

from crm.activation.activate import Checked, Vendor, by_hand, can_activate, unreachable
from crm.activation.answers import VendorAnswer, VendorAway, VendorSaysNo
from crm.activation.declared import Activation
from crm.activation.requests import VendorRequest
from crm.connector_catalogue import catalogue
from crm.delivery import Connection
from crm.public_address import url_of, warning

LATER = "When that is settled, `crm connect --check` sets the webhook."


class Http(Protocol):
    """Asks vendors: crm/adapters/vendor_http.py, or a stand-in of a test."""

    async def __call__(self, request: VendorRequest) -> VendorAnswer: ...

    def override(self, connector: str) -> str: ...

    async def until_known(self, url: str) -> None: ...


class Activated(Struct, frozen=True):
    """What was done at the vendor. `active`: it delivers to the connection's URL, as far as Potik can see to it."""

    active: bool
    account: str = ""  # whose key it is, in the vendor's words
    done: tuple[str, ...] = ()  # sentences
    next: str = ""  # what a person still has to do; empty when nothing
    secret: str = ""  # that the vendor gave while the webhook was set: the connection must be declared with it


def values_of(connection: Connection, base: str) -> dict[str, str] | None:
    """Returns what activation fills in for a connection; None when its vendor cannot be asked with what it has.

    `base`: the URL of intake as vendors call it.
    """
    entry = catalogue().get(connection.connector)
    values = {**connection.settings, "secret": connection.secret, "connection": connection.id}
    if entry is None or not base or not can_activate(entry.activation, values):
        return None
    return {**values, "url": url_of(base, connection.id, entry.proof)}


async def set_webhook_of(
    connection: Connection, values: Mapping[str, str], http: Http, *, account: str = "", replaced: bool = False
) -> Activated:
    """`set_webhook` for a connection whose `values_of` are there."""
    entry = catalogue().get(connection.connector)
    assert entry and entry.activation
    polls = "poll" in entry.parts
    return await set_webhook(
        entry.name, entry.activation, values, http, account=account, replaced=replaced, polls=polls
    )


async def check_key(
    connector: str, declared: Activation | None, settings: Mapping[str, str], secret: str, http: Http
) -> Checked | None:
    """Asks the vendor whose key it is. Returns None when there is nothing to ask with.

    Raises ValueError with a sentence when the vendor refuses the key or does not answer: then nothing was changed.
    """
    values = {**settings, "secret": secret}
    if declared is None or not can_activate(declared, values):
        return None
    try:
        return await Vendor(connector, declared, values, http).check()
    except VendorSaysNo as error:
        keys = " and ".join(declared.needs)
        raise ValueError(f"{error} Check what was given as {keys}. Nothing was changed.") from None
    except VendorAway as error:
        raise ValueError(f"{error} Nothing was changed. Try again.") from None


async def set_webhook(
    connector: str,
    declared: Activation,
    values: Mapping[str, str],
    http: Http,
    *,
    account: str = "",
    replaced: bool = False,
    polls: bool = False,
) -> Activated:
    """Sets the vendor's webhook where it is not set. `values`: see Vendor; `replaced`: the secret is another now;
    `polls`: the vendor is asked for what is new where it cannot call us.

    Never raises for what the vendor says: the connection is declared by now, and what is missing is the next step.
    """
    url, vendor, left = values["url"], Vendor(connector, declared, values, http), by_hand(declared, values["url"])
    unreached = "" if http.override(connector) else warning(url) or unreachable(declared, url)
    if unreached and declared.register:
        if polls:
            return Activated(True, account, (f"{unreached} So {connector} is asked for what is new instead.",))
        return Activated(False, account, (), f"{unreached} {LATER}")
    try:
        if declared.secret == "checked" and not replaced:
            secret = (await vendor.check()).secret
            if secret != vendor.values["secret"]:
                done = (f"{connector} signs with another key now: the connection has it.",)
                return Activated(True, account, done, left, secret)
        if declared.register and replaced:
            await http.until_known(url)  # some vendors look at once, and would get a 404
        registered = await vendor.register(replaced)
    except VendorSaysNo as error:
        return Activated(False, account, (), f"The webhook was not set: {error} {LATER}")
    except VendorAway as error:
        return Activated(False, account, (), f"The webhook may not be set: {error} {LATER}")
    failed = [f"{connector} says of its last failed delivery: {error}" for error in registered.errors]
    left = f"{left} {unreached}".strip()
    return Activated(True, account, (*registered.done, *failed), left, registered.secret)
