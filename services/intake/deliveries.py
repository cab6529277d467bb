"""POST /in/{connection}: verified, understood, in Kafka, and only then acknowledged."""

from collections.abc import Mapping
from typing import Protocol

import structlog

from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.metrics import DELIVERIES, FACTS
from crm.connector import Answer, Connection, Connector, Delivery, clean, quarantined
from crm.envelope import Fact
from crm.errors import Malformed, NotYet, Refused
from crm.facts import DeliveryQuarantined
from crm.log import Clock, Log, Record
from crm.shared import Raw
from services.intake.body import Bodies, Receive
from services.intake.records import record_of
from services.intake.reply import NOT_FOUND, Reply, later, sentence
from services.intake.request import trace_of, without_secrets

AT_ONCE = 1_000  # deliveries under way; who comes on top would wait longer than a vendor does
MAX_RECORDS_BYTES = 32_000_000  # of one delivery: each of its facts holds the raw body
logger = structlog.get_logger()


class Doors(Protocol):
    """Who may send."""

    def connection(self, id: str) -> Connection | None: ...

    def missing(self) -> str | None: ...


class Deliveries:
    """Takes what vendors send to a connection's address."""

    def __init__(
        self, doors: Doors, log: Log, connectors: Mapping[str, Connector], bodies: Bodies, limit: int, clock: Clock
    ) -> None:
        self.doors, self.log, self.connectors = doors, log, connectors
        self.bodies, self.limit, self.clock = bodies, limit, clock
        self.under_way = 0

    def find(self, id: str) -> tuple[Connector, Connection] | None:
        connection = self.doors.connection(id)
        connector = self.connectors.get(connection.connector) if connection else None
        return (connector, connection) if connector and connection else None

    def greet(self, id: str) -> Reply:
        """A GET, as some vendors do when they register an address."""
        if not (found := self.find(id)):
            return later(why) if (why := self.doors.missing()) else NOT_FOUND
        if found[0].greets:
            return Reply(200)
        return sentence(405, "This address takes POST.", ((b"allow", b"POST"),))

    async def take(self, id: str, headers: Mapping[str, str], query: bytes, receive: Receive) -> Reply:
        """Raises Stop and Gone while the body is read."""
        found = self.find(id)
        if why := self.log.missing() or self.doors.missing():
            return later(why)
        if not found:
            return NOT_FOUND
        connector, connection = found
        body = await self.bodies.read(headers, receive, self.limit)
        if self.under_way >= AT_ONCE:
            return later("More is coming in than can be taken. Nothing was kept. Send it again.")
        kept_query = without_secrets(query, connection.secret) if query else ""
        delivery = Delivery(headers, body, self.clock(), kept_query, trace_of(headers))
        self.under_way += 1
        try:
            reply, outcome = await self.keep(connector, connection, delivery)
        finally:
            self.under_way -= 1
        DELIVERIES.labels(connector.name, outcome).inc()
        return reply

    async def keep(self, connector: Connector, connection: Connection, delivery: Delivery) -> tuple[Reply, str]:
        """The answer, and a word on what became of the delivery."""
        try:
            facts = connector.receive(delivery, connection)
        except Refused as refusal:
            logger.info("refused a delivery", connection=connection.id, why=str(refusal))
            return sentence(401, one_line(str(refusal))), "refused"
        except Exception:
            logger.exception("a connector failed before it had verified", connection=connection.id)
            return later("The delivery could not be verified now. Nothing was kept. Send it again."), "failed"
        facts, records = encoded(facts, connector, connection, delivery)
        try:
            await self.log.send(*records)
            answer = connector.answer(delivery, connection)
        except NotYet as why:
            return later(str(why)), "not yet"
        except Exception:
            logger.exception("a connector has no answer; the facts are kept", connection=connection.id)
            return later("The delivery was kept, but cannot be answered. Send it again: twice is once."), "failed"
        if debugging():
            for fact in facts:
                logger.debug("took", fact=fact.meta.id, connection=connection.id, trace=fact.meta.trace)
        for fact in facts:
            FACTS.labels(type(fact).__name__).inc()
            if isinstance(fact, DeliveryQuarantined):
                logger.warning("quarantined a delivery", fact=fact.meta.id, connection=connection.id, why=fact.reason)
        return reply_of(answer), "quarantined" if isinstance(facts[0], DeliveryQuarantined) else "taken"


def encoded(
    facts: list[Fact], connector: Connector, connection: Connection, delivery: Delivery
) -> tuple[list[Fact], list[Record]]:
    """The facts as records; when one of them cannot be written, the delivery in quarantine instead of them all."""
    records, size = [], 0
    try:
        for fact in facts:
            record = record_of(fact, connector.family)
            size += len(record.value or b"")
            if size > MAX_RECORDS_BYTES:
                raise Malformed(f"its {len(facts)} facts take more than {MAX_RECORDS_BYTES} bytes")
            records.append(record)
        return facts, records
    except Exception as error:
        reason = str(error) if isinstance(error, Malformed) else repr(error)
        raw = Raw(clean(delivery.content_type), connector.kept_headers(delivery), clean(delivery.query), delivery.body)
        fact = quarantined(connector.name, raw, delivery, connection, clean(reason))
        return [fact], [record_of(fact)]


def reply_of(answer: Answer) -> Reply:
    return Reply(answer.status, answer.body, answer.content_type.encode())


def one_line(text: str) -> str:
    return " ".join(text.split())
