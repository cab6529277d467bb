"""A connector: how one outside system proves itself, what its payloads mean, and what it wants to hear back.

The kernel owns what no connector may forget: an empty secret means off, ids stay the same when a delivery is repeated,
what is authentic is never lost, and the answer is the same for the first delivery and the second.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from msgspec import Struct

from crm.envelope import Fact, named_id
from crm.errors import Malformed, Refused
from crm.facts import DeliveryKept, DeliveryQuarantined
from crm.scalars import Id, Micros
from crm.shared import Meta, Raw

SECRET_HEADERS = frozenset(("authorization", "proxy-authorization", "cookie"))  # never kept, whatever the vendor


@dataclass(frozen=True)
class Delivery:
    """One HTTP request as it came in. Header names are in lower case."""

    headers: Mapping[str, str]
    body: bytes
    received_at: Micros
    query: str = ""  # without its secret
    trace: str = ""

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


class Home(Struct, frozen=True, gc=False):
    """What a workspace says for all of its connections and tokens. These values where it has said nothing yet."""

    country: str = "UA"
    currency: str = "UAH"
    timezone: str = "Europe/Kyiv"


HOME = Home()


@dataclass(frozen=True)
class Connection:
    """One activated integration of a workspace."""

    id: Id
    workspace: Id
    connector: str
    secret: str
    settings: Mapping[str, str] = field(default_factory=dict)
    name: str = ""
    enabled: bool = True
    home: Home = HOME


def country_of(connection: Connection) -> str:
    """How numbers without a country code are read: by the connection's setting, else its workspace's. ISO 3166."""
    return connection.settings.get("country", "").strip().upper() or connection.home.country


def currency_of_connection(connection: Connection) -> str:
    """The currency of a sum that names none: by the connection's setting, else its workspace's. ISO 4217."""
    return connection.settings.get("currency", "").strip().upper() or connection.home.currency


class Report(Struct, frozen=True, gc=False):
    """One thing that a delivery tells.

    `key` is the vendor's own idempotency key within the connection; `sender` whom it is about: what one sender tells
    stays in order; `at` when it happened outside; `fact` builds the fact around its envelope.
    """

    key: str
    sender: str
    at: Micros
    fact: Callable[[Meta, Raw], Fact]


class Answer(Struct, frozen=True, gc=False):
    """What the vendor hears."""

    status: int = 200
    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


OK = Answer()


@dataclass(frozen=True)
class Connector:
    """`verify` raises Refused; `parse` yields reports or raises Malformed; `answer` is given once all is in Kafka."""

    name: str
    family: str  # the topic of what it keeps raw: see crm/topics.py
    verify: Callable[[Delivery, Connection], None]
    parse: Callable[[Delivery, Connection], Iterable[Report]]
    answer: Callable[[Delivery, Connection], Answer] = lambda _delivery, _connection: OK
    greets: bool = False  # answers a GET at registration with 200
    secret_headers: frozenset[str] = frozenset()  # lower case; they hold this vendor's secret itself, so are not kept

    def receive(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """Authentic facts, at least one. Raises Refused; never loses what is authentic."""
        if not connection.secret:
            raise Refused(f"This {self.name} connection has no secret, so it is off. Nothing was kept. Set one.")
        self.verify(delivery, connection)
        return self.read(delivery, connection)

    def kept_headers(self, delivery: Delivery) -> dict[str, str]:
        """Every header but those that hold secrets: what a vendor says in one can be read again years later."""
        return {name: clean(value) for name, value in delivery.headers.items() if name not in self._never_kept}

    @cached_property
    def _never_kept(self) -> frozenset[str]:
        return SECRET_HEADERS | self.secret_headers

    def read(self, delivery: Delivery, connection: Connection) -> list[Fact]:
        """What an authentic delivery tells; `reparse` begins here. Two reports under one key are one."""
        raw = Raw(delivery.content_type, self.kept_headers(delivery), delivery.query, delivery.body)
        try:
            facts = {
                meta.id: report.fact(meta, raw)
                for report in self.parse(delivery, connection)
                for meta in [envelope(delivery, connection, report.key, report.sender, report.at)]
            }
        except Malformed as error:
            return [quarantined(self.name, raw, delivery, connection, str(error))]
        except Exception as error:  # a connector that stumbles must not lose what is authentic
            return [quarantined(self.name, raw, delivery, connection, f"{self.name} could not read it: {error!r}")]
        return list(facts.values()) or [kept(self.name, raw, delivery, connection, "empty")]


def envelope(delivery: Delivery, connection: Connection, key: str, sender: str, at: Micros) -> Meta:
    """The same delivery gives the same id, so twice is once."""
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
    """The envelope of a delivery that names nothing itself: known by its bytes."""
    return envelope(delivery, connection, f"{why}/{digest(delivery.body)}", "", delivery.received_at)


def quarantined(name: str, raw: Raw, delivery: Delivery, connection: Connection, reason: str) -> DeliveryQuarantined:
    return DeliveryQuarantined(of_bytes(delivery, connection, "quarantine"), raw, name, reason)


def kept(name: str, raw: Raw, delivery: Delivery, connection: Connection, kind: str) -> DeliveryKept:
    return DeliveryKept(of_bytes(delivery, connection, f"kept/{kind}"), raw, name, kind)


def clean(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates written out."""
    return text if text.isascii() else text.encode("utf-8", "backslashreplace").decode()


def digest(body: bytes) -> str:
    """SHA-256, hex."""
    return hashlib.sha256(body).hexdigest()


def expect_equal(expected: str, given: str, what: str = "signature") -> None:
    """Constant-time, whatever either text holds. Raises Refused."""
    if not hmac.compare_digest(expected.encode("utf-8", "replace"), given.encode("utf-8", "surrogatepass")):
        raise Refused(f"The {what} does not match. Nothing was kept. Check the secret of this connection.")


def expect_fresh(sent_at: Micros, received_at: Micros, seconds: int = 300) -> None:
    """Raises Refused when the vendor's signed time is too far from ours."""
    if abs(received_at - sent_at) > seconds * 1_000_000:
        raise Refused(f"The delivery was signed more than {seconds} s ago or in the future. Nothing was kept.")
