"""A connector: how one vendor proves itself, what its payloads mean, and what it expects as an answer.

The kernel does what no connector may forget: a connection without a secret is off, ids stay the same when a delivery
is repeated, what is authentic is never lost, and the first delivery and the second get the same answer.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from msgspec import Struct

from crm.connector_catalogue import ConnectorEntry
from crm.connector_proofs import Proof, UnguessableAddress
from crm.connector_settings import NoSettings, describe_settings, typed_settings
from crm.envelope import Fact, named_id
from crm.errors import Broken, Malformed, Refused
from crm.facts import DeliveryKept, DeliveryQuarantined
from crm.redaction import SECRET_HEADERS, hidden_texts, redacted, without_secrets
from crm.scalars import Id, Micros
from crm.shared import Meta, Raw

METHOD, URL, RATE = ":method", ":url", ":rate"  # kept among a raw record's headers; no HTTP header's name has a colon
MAX_ECHO = 4_096  # bytes of what a handshake may reflect
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


class Answer(Struct, frozen=True, gc=False):
    """The response to the vendor."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()  # more than the content type


OK = Answer()
ADDRESS = UnguessableAddress()


def echo(text: str) -> Answer:
    """Returns a challenge to the vendor that sent it. Raises Refused when it is too long to be one."""
    body = text.encode("utf-8", "backslashreplace")
    if len(body) > MAX_ECHO:
        raise Refused(f"The challenge is longer than {MAX_ECHO} bytes. Nothing was kept.")
    return Answer(200, body)


class Caller(Struct, frozen=True, gc=False):
    """Who has a telephone number, as a vendor shows it before somebody picks up."""

    name: str
    owner_name: str = ""  # of the last changed open deal
    owner_email: str = ""
    note: str = ""  # the open deals in words


@dataclass(frozen=True)
class CallerLookup:
    """A vendor's question who is calling, which waits for its answer while the telephone rings.

    `number` returns the number that is looked up, as it was sent; None for every other delivery. `answer` tells who it
    is; None: nobody is known by this number, or it took too long to find out.
    """

    number: Callable[[Delivery, Connection], str | None]
    answer: Callable[[Caller | None], Answer]


@dataclass(frozen=True)
class Webhook:
    """How a vendor's requests are received.

    `verify` raises Refused. `parse` yields reports or raises Malformed. `answer` is given once all facts are in Kafka.
    `handshake` is asked first, for each GET and POST, before anything is verified: it answers a vendor that checks the
    URL, and returns None for everything else. `lookup` is answered instead of `answer`, in the time of a ring.
    `secret_headers` hold the vendor's secret itself: they are not kept. `keys` are URLs at which the vendor publishes
    the keys that `verify` needs; intake fetches them.
    """

    verify: Callable[[Delivery, Connection], None]
    parse: Callable[[Delivery, Connection], Iterable[Report]]
    answer: Callable[[Delivery, Connection, Sequence[Fact]], Answer] = lambda _delivery, _connection, _facts: OK
    handshake: Callable[[Delivery, Connection], Answer | None] | None = None
    lookup: CallerLookup | None = None
    secret_headers: frozenset[str] = frozenset()  # in lower case
    public: bool = False  # every site's pages may read the answer; RATE: how many the client sent in a minute
    keys: tuple[str, ...] = ()

    @cached_property
    def headers_not_kept(self) -> frozenset[str]:
        return SECRET_HEADERS | self.secret_headers


@dataclass(frozen=True)
class Connector:
    """All of one vendor: its parts, which are files of its folder, and what people must know to connect it."""

    name: str
    family: str  # the topic of its facts: see crm/topics.py
    webhook: Webhook | None = None
    title: str = ""  # one line for people
    proof: Proof = ADDRESS
    settings: type[Struct] = NoSettings

    @property
    def entry(self) -> ConnectorEntry:
        """What the catalogue says of it. Raises Broken when its settings cannot be shown to people."""
        parts = ("webhook",) if self.webhook else ()
        settings = describe_settings(self.settings)
        proof = self.proof
        return ConnectorEntry(
            self.name, self.title, self.family, proof.proves, proof.secret, settings, parts, proof.pattern
        )

    def receive(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """Returns the facts of an authentic delivery, at least one. Raises Refused; never loses what is authentic."""
        if not connection.secret:
            raise Refused(f"This {self.name} connection has no secret, so it is off. Nothing was kept. Set one.")
        self._receives.verify(delivery, connection)
        return self.read(delivery, connection)

    def read(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """Returns the facts of a delivery that was verified; `reparse` begins here. Reports with one key are one.

        Raises Broken when the settings of the connection cannot be decrypted here.
        """
        if connection.locked:
            raise Broken(connection.locked)
        raw = self.raw(delivery, connection)
        try:
            facts = {
                meta.id: report.fact(meta, raw)
                for report in self._receives.parse(delivery, connection)
                for meta in [envelope(delivery, connection, report.key, report.sender, report.at)]
            }
        except Malformed as error:
            return [quarantined(self.name, raw, delivery, connection, connection.without_secrets(str(error)))]
        except Exception as error:  # a mistake in a connector must not lose what is authentic
            why = connection.without_secrets(f"{self.name} could not read it: {error!r}")
            return [quarantined(self.name, raw, delivery, connection, why)]
        return list(facts.values()) or [kept(self.name, raw, delivery, connection, "empty")]

    def raw(self, delivery: Delivery, connection: Connection) -> Raw:
        """Returns what is kept of a delivery: everything but secrets, so that it can be read again years later."""
        hidden = self._receives.headers_not_kept
        scrub = connection.without_secrets
        headers = {name: scrub(clean(value)) for name, value in delivery.headers.items() if name not in hidden}
        if delivery.path:
            headers[METHOD], headers[URL] = delivery.method, scrub(clean(delivery.base + delivery.path))
        query = clean(without_secrets(delivery.query, connection.secret)) if delivery.query else ""
        return Raw(clean(delivery.content_type), headers, query, delivery.body)

    @property
    def _receives(self) -> Webhook:
        if self.webhook is None:
            raise Broken(f"The connector {self.name} receives nothing: it has no webhook.py.")
        return self.webhook


def envelope(delivery: Delivery, connection: Connection, key: str, sender: str, at: Micros) -> Meta:
    """Returns the envelope of a report. Its id follows from the key, so a repeated delivery is the same fact."""
    id = named_id(connection.id, key)
    return Meta(
        id=id,
        workspace=connection.workspace,
        stream=named_id(connection.id, f"sender/{sender}"),
        occurred_at=at,
        recorded_at=delivery.received_at,
        source=connection.id,
        cause=id,
        actor=connection.connector,
        trace=delivery.trace,
    )


def of_bytes(delivery: Delivery, connection: Connection, why: str) -> Meta:
    """Returns the envelope of a delivery that has no key of its own: its bytes are its key."""
    return envelope(delivery, connection, f"{why}/{digest(delivery.body)}", "", delivery.received_at)


def quarantined(name: str, raw: Raw, delivery: Delivery, connection: Connection, reason: str) -> DeliveryQuarantined:
    return DeliveryQuarantined(of_bytes(delivery, connection, "quarantine"), raw, name, reason)


def kept(name: str, raw: Raw, delivery: Delivery, connection: Connection, kind: str) -> DeliveryKept:
    return DeliveryKept(of_bytes(delivery, connection, f"kept/{kind}"), raw, name, kind)


def clean(text: str) -> str:
    """Returns text that UTF-8 can hold: lone surrogates are written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def digest(body: bytes) -> str:
    """Returns the SHA-256 in hex."""
    return hashlib.sha256(body).hexdigest()


def expect_equal(expected: str, given: str, what: str = "signature") -> None:
    """Compares in constant time, whatever either text holds. Raises Refused."""
    if not hmac.compare_digest(expected.encode("utf-8", "replace"), given.encode("utf-8", "surrogatepass")):
        raise Refused(f"The {what} does not match. Nothing was kept. Check the secret of this connection.")


def expect_fresh(sent_at: Micros, received_at: Micros, seconds: int = 300) -> None:
    """Raises Refused when the time that the vendor signed is too far from ours."""
    if abs(received_at - sent_at) > seconds * 1_000_000:
        raise Refused(f"The delivery was signed more than {seconds} s ago or in the future. Nothing was kept.")
