"""What connectors read and what they say: a delivery, the connection it came in for, and the reports read from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from msgspec import Struct

from crm.connector_settings import typed_settings
from crm.envelope import Fact
from crm.redaction import hidden_texts, redacted
from crm.scalars import Id, Micros
from crm.shared import Meta, Raw

METHOD, URL, RATE = ":method", ":url", ":rate"  # kept among a raw record's headers; no HTTP header's name has a colon
S = TypeVar("S", bound=Struct)


class Delivery(Struct, frozen=True):
    """One HTTP request of a vendor, as it came in. Header names are in lower case.

    `base` and `path` are the URL as the vendor called it, also when a proxy is in front of Potik: see CRM_PUBLIC_URL.
    `peer` is the address of the client, empty when the delivery is read again from what was kept. `keys` are the
    documents that `Webhook.keys` names, by their URL.
    """

    headers: Mapping[str, str]
    body: bytes
    received_at: Micros
    query: str = ""  # as it was sent; when it is read again, without secrets
    trace: str = ""  # W3C traceparent
    method: str = "POST"
    base: str = ""  # such as https://crm.example.com
    path: str = ""
    peer: str = ""
    keys: Mapping[str, str] = {}

    @property
    def url(self) -> str:
        """The whole URL, for vendors that sign it."""
        return f"{self.base}{self.path}?{self.query}" if self.query else self.base + self.path

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of the query, decoded; of several with one name, the last."""
        return dict(parse_qsl(self.query, keep_blank_values=True))

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


def delivery_of(raw: Raw, received_at: Micros, trace: str = "") -> Delivery:
    """The delivery that a raw record was made of, but for its secrets. Older records have neither method nor URL."""
    headers = {"content-type": raw.content_type, **raw.headers}
    method, url = headers.pop(METHOD, "POST"), headers.pop(URL, "")
    return Delivery(headers, raw.body, received_at, raw.query, trace, method, path=url)


class Home(Struct, frozen=True, gc=False):
    """What a workspace declares for all of its connections and tokens; the defaults hold until it declares anything."""

    country: str = "UA"
    currency: str = "UAH"
    timezone: str = "Europe/Kyiv"


HOME = Home()


@dataclass(frozen=True)
class Connection:
    """One configured URL and secret of a workspace, for one vendor."""

    id: Id
    workspace: Id
    connector: str
    secret: str = field(repr=False)
    settings: Mapping[str, str] = field(default_factory=dict, repr=False)
    name: str = ""
    enabled: bool = True
    home: Home = HOME
    locked: str = ""  # why its secret and settings are not known here, though there are some

    def settings_as(self, kind: type[S]) -> S:
        """The settings as the connector's struct. Raises Refused for a value that cannot be used."""
        typed: dict[type[Struct], Any] = self._typed
        if kind not in typed:
            typed[kind] = typed_settings(kind, self.settings)
        found: S = typed[kind]
        return found

    def without_secrets(self, text: str) -> str:
        """Returns the text with *** in place of the secret, and of settings that look like a key."""
        return redacted(text, self._hidden)

    @cached_property
    def _hidden(self) -> tuple[str, ...]:
        return hidden_texts(self.secret, self.settings)

    @cached_property
    def _typed(self) -> dict[type[Struct], Any]:
        return {}


def country_of(connection: Connection) -> str:
    """Returns the country of phone numbers without a country code: the connection's, else its workspace's. ISO 3166."""
    return connection.settings.get("country", "").strip().upper() or connection.home.country


def currency_of_connection(connection: Connection) -> str:
    """Returns the currency of an amount that names none: the connection's, else its workspace's. ISO 4217."""
    return connection.settings.get("currency", "").strip().upper() or connection.home.currency


class Report(Struct, frozen=True, gc=False):
    """One thing that a delivery reports.

    `key` is the vendor's own idempotency key within the connection. `sender` is the person or the object that the
    report is about: reports about one sender stay in order. `at` is when it happened. `fact` builds the fact around
    its envelope.
    """

    key: str
    sender: str
    at: Micros
    fact: Callable[[Meta, Raw], Fact]
