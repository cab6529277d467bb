"""A connector: how one vendor proves itself, what its payloads mean, and what it expects as an answer.

The kernel does what no connector may forget: a connection without a secret is off, ids stay the same when a delivery
is repeated, what is authentic is never lost, and the first delivery and the second get the same answer.
"""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import msgspec
from msgspec import Struct

from crm.activation.declared import Activation, OAuth
from crm.claim_check import Repack, claims_of, restored
from crm.connector_catalogue import ConnectorEntry
from crm.connector_files import Files
from crm.connector_poll import POLLED as POLLED
from crm.connector_poll import Parse, Poll
from crm.connector_proofs import Proof, UnguessableAddress
from crm.connector_send import Send
from crm.connector_settings import NoSettings, describe_settings
from crm.delivery import HOME as HOME
from crm.delivery import METHOD, URL
from crm.delivery import RATE as RATE
from crm.delivery import Connection as Connection
from crm.delivery import Delivery as Delivery
from crm.delivery import Home as Home
from crm.delivery import Report as Report
from crm.delivery import country_of as country_of
from crm.delivery import currency_of_connection as currency_of_connection
from crm.delivery import delivery_of as delivery_of
from crm.envelope import Fact, named_id
from crm.errors import Broken, Malformed, Refused
from crm.facts import DeliveryKept, DeliveryQuarantined
from crm.redaction import SECRET_HEADERS, without_secrets
from crm.scalars import Micros
from crm.shared import Meta, Raw

MAX_ECHO = 4_096  # bytes of what a handshake may reflect


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


def json_answer(value: object) -> Answer:
    """Returns an answer of JSON to a delivery that was taken."""
    return Answer(200, msgspec.json.encode(value), "application/json")


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
    parse: Parse
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
    activation: Activation | None = None  # how its API sets the webhook
    poll: Poll | None = None
    files: Files | None = None  # how files are fetched that it names by an id, or keeps behind a log-in
    tracking: str = ""  # of a delivery service: the whole of its tracking numbers matches it
    oauth: OAuth | None = None  # how the owner of an account permits access by a link
    parts: Repack | None = None  # how files are found in a delivery, which may then be larger than a record
    # Of a bank: the provider and the payment that the bank's reference in a statement file proves; None for none.
    proven_by: Callable[[str], tuple[str, str] | None] | None = None
    send: Send | None = None  # how its API is asked to send an answer

    @property
    def entry(self) -> ConnectorEntry:
        """What the catalogue says of it. Raises Broken when its settings cannot be shown to people."""
        parts = tuple(part for part in ("webhook", "poll", "activation", "send") if getattr(self, part))
        proof, settings, key = self.proof, describe_settings(self.settings), self.poll.key if self.poll else ""
        limits = self.send.limits if self.send else None
        about = self.name, self.title, self.family, proof.proves, proof.secret
        asks = self.activation, key, self.tracking, self.oauth, limits
        return ConnectorEntry(*about, settings, parts, proof.pattern, *asks)

    def receive(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """Returns the facts of an authentic delivery, at least one. Raises Refused; never loses what is authentic."""
        self.verify(delivery, connection)
        return self.read(delivery, connection)

    def verify(self, delivery: Delivery, connection: Connection) -> None:
        """Raises Refused for what is not authentic."""
        if not connection.secret:
            raise Refused(f"This {self.name} connection has no secret, so it is off. Nothing was kept. Set one.")
        self._receives.verify(delivery, connection)

    def read(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """Returns the facts of a delivery that was verified; `reparse` begins here. Reports with one key are one.

        None for a page of a poll that holds nothing. Raises Broken when the connection's settings cannot be decrypted.
        """
        if connection.locked:
            raise Broken(connection.locked)
        raw = self.raw(delivery, connection)
        try:
            claims = claims_of(delivery.headers)
            if claims and claims.whole:
                raise Malformed(claims.sentence)
            facts = {
                meta.id: report.fact(meta, raw)
                for report in self._parser(delivery)(delivery, connection)
                for meta in [envelope(delivery, connection, report.key, report.sender, report.at)]
            }
        except Malformed as error:
            return [quarantined(self.name, raw, delivery, connection, connection.without_secrets(str(error)))]
        except Exception as error:  # a mistake in a connector must not lose what is authentic
            why = connection.without_secrets(f"{self.name} could not read it: {error!r}")
            return [quarantined(self.name, raw, delivery, connection, why)]
        if not facts and delivery.method == POLLED:
            return []  # nothing is new, as most of the time
        found = restored(facts.values(), claims) if claims else list(facts.values())
        return found or [kept(self.name, raw, delivery, connection, "empty")]

    def raw(self, delivery: Delivery, connection: Connection) -> Raw:
        """Returns what is kept of a delivery: everything but secrets, so that it can be read again years later."""
        hidden = self.webhook.headers_not_kept if self.webhook else SECRET_HEADERS
        scrub = connection.without_secrets
        headers = {name: scrub(clean(value)) for name, value in delivery.headers.items() if name not in hidden}
        if delivery.path:
            headers[METHOD], headers[URL] = delivery.method, scrub(clean(delivery.base + delivery.path))
        query = clean(without_secrets(delivery.query, connection.secret)) if delivery.query else ""
        return Raw(clean(delivery.content_type), headers, query, delivery.body)

    @property
    def reads(self) -> bool:
        """Whether it reads anything of a vendor, so that what was kept can be read again."""
        return self.webhook is not None or self.poll is not None

    @property
    def parsers(self) -> list[Parse]:
        """The functions that read what the vendor sends and answers."""
        found = [self.webhook and self.webhook.parse, self.poll and self.poll.parse]
        return [parse for parse in found if parse]

    def _parser(self, delivery: Delivery) -> Parse:
        """What reads a delivery: one that was polled may have a shape of its own."""
        if delivery.method == POLLED and self.poll and self.poll.parse:
            return self.poll.parse
        return self._receives.parse

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
    """Returns the envelope of a delivery that has no key of its own: its bytes are its key, or else its address."""
    query = without_secrets(delivery.query, connection.secret)
    said = delivery.body or f"{delivery.path}?{query}".encode("utf-8", "surrogatepass")
    return envelope(delivery, connection, f"{why}/{digest(said)}", "", delivery.received_at)


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
