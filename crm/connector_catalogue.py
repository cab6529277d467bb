"""Which connectors there are and what each needs: data, so that the kernel and the API name no vendor.

`make events` writes schemas/connectors.json from the folders of services/connectors.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Protocol

import msgspec
from msgspec import Struct

from crm.activation.activate import can_activate
from crm.activation.declared import Activation, OAuth
from crm.connector_settings import Setting
from crm.errors import Broken
from crm.send_limits import Limits

FILE = Path(__file__).parent.parent / "schemas" / "connectors.json"
Proves = Literal["signature", "shared secret", "address", "access token", "api key"]


class ConnectorEntry(Struct, frozen=True, omit_defaults=True):
    """What people, the API and the kernel know of a connector."""

    name: str
    title: str  # one line for people
    family: str  # of its facts: see schemas/avro/topics.toml
    proof: Proves
    secret: str = ""  # what the secret of a connection is; empty where Potik makes one up
    settings: tuple[Setting, ...] = ()
    parts: tuple[str, ...] = ()  # webhook, poll, activation, send
    secret_pattern: str = ""  # the whole secret matches it; empty where any text may be one
    activation: Activation | None = None  # how the vendor's API is asked to set the webhook; None: it has none
    poll_key: str = ""  # the setting with the key that the vendor is asked with; empty: the secret
    tracking_pattern: str = ""  # of a delivery service: the whole of its tracking numbers matches it
    oauth: OAuth | None = None  # how the owner of an account permits access by a link; None: the vendor has no such way
    send: Limits | None = None  # what it takes of an answer; None: it cannot be answered through it

    @property
    def needs_secret(self) -> bool:
        """Whether a connection is off until it is given the vendor's secret."""
        return self.proof in ("signature", "shared secret", "api key")

    def polls(self, secret: str, settings: Mapping[str, str]) -> bool:
        """Whether the vendor is asked on a clock for a connection that has these."""
        key = settings.get(self.poll_key, "") if self.poll_key else secret
        return "poll" in self.parts and bool(key.strip())

    def gets_secret(self, settings: Mapping[str, str]) -> bool:
        """Whether nobody has to give the secret: activation makes one, or gets the vendor's, with these settings."""
        activation = self.activation
        return bool(activation and activation.secret != "given" and can_activate(activation, settings))


class Catalogue(Protocol):
    """The connectors by name, in alphabetical order."""

    def get(self, name: str, /) -> ConnectorEntry | None: ...

    def __iter__(self) -> Iterator[str]: ...


@cache
def catalogue() -> Mapping[str, ConnectorEntry]:
    """The connectors of this release. Raises Broken when the file cannot be read."""
    try:
        entries = msgspec.json.decode(FILE.read_bytes(), type=tuple[ConnectorEntry, ...])
    except (OSError, msgspec.DecodeError) as error:
        raise Broken(f"{FILE} cannot be read: {error}. Write it with `make events`.") from None
    return {entry.name: entry for entry in entries}


@cache
def connectors_of(family: str) -> frozenset[str]:
    """The names of the connectors whose facts are of a family."""
    return frozenset(name for name, entry in catalogue().items() if entry.family == family)


def unknown_connector(name: str, known: Catalogue) -> str:
    return f"There is no connector {name!r}; there are {', '.join(known)}."


def secret_missing(entry: ConnectorEntry) -> str:
    missing = f"{entry.name} needs a secret, or its address stays off: {entry.secret}"
    if entry.oauth:
        missing += " Or let the account's owner permit it by a link: `connectionAuthorize`."
    if not entry.activation or entry.activation.secret == "given":
        return missing
    keys = [f"{s.name}: {s.description}" for s in entry.settings if s.name in entry.activation.needs]
    return f"{missing} With these settings no secret is needed: {' '.join(keys)}"


def secret_problem(entry: ConnectorEntry, secret: str) -> str:
    """Returns why this cannot be the vendor's secret, without showing it; empty when it can be."""
    given = secret.strip()
    if not given or not entry.secret_pattern or re.fullmatch(entry.secret_pattern, given):
        return ""
    for setting in entry.settings:
        if entry.activation and setting.name in entry.activation.needs and setting.pattern and setting.fits(given):
            return f"What was given as the secret is the {setting.name}: give it as the setting {setting.name}."
    return f"What was given cannot be the secret that {entry.name} needs: {entry.secret}"
