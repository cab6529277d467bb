"""GET and POST /in/{connection}: a delivery is verified, read, written to Kafka, and only then acknowledged."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from msgspec.structs import replace

from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.metrics import DELIVERIES, FACTS
from crm.connection_activity import Outcome
from crm.connector import MAX_ECHO, RATE, Answer, Connection, Connector, Delivery, Webhook
from crm.errors import NotYet, Refused
from crm.facts import DeliveryQuarantined
from crm.log import Clock, Log
from services.intake.activity import ActivityCounts
from services.intake.body import Bodies, Receive
from services.intake.callers import Callers
from services.intake.client_rates import ClientRates
from services.intake.directory import Directory
from services.intake.large import READ_SECONDS, LargeDeliveries
from services.intake.published_keys import PublishedKeys
from services.intake.records import encoded
from services.intake.reply import NOT_FOUND, POST_ONLY, Reply, later, sentence
from services.intake.request import Frontend, headers_of, path_of, trace_of

MAX_CONCURRENT = 1_000  # deliveries; a vendor would time out before one more was answered
REFLECTED = ("text/plain", "application/json")  # content types of a handshake that a browser shows as text
LOCKED = "The secret of this connection cannot be read at the moment. Nothing was kept. Send it again."
COUNTED: dict[str, Outcome] = {"taken": "taken", "quarantined": "quarantined", "failed": "failed", "not yet": "failed"}
NOSNIFF = ((b"x-content-type-options", b"nosniff"),)
Found = tuple[Connector, Webhook, Connection]
logger = structlog.get_logger()


class Deliveries:
    """Takes what vendors send to the URL of a connection."""

    def __init__(
        self,
        directory: Directory,
        log: Log,
        connectors: Mapping[str, Connector],
        bodies: Bodies,
        limit: int,
        clock: Clock,
        frontend: Frontend,
        keys: PublishedKeys,
        activity: ActivityCounts,
        callers: Callers,
        large: LargeDeliveries,
    ) -> None:
        self.directory, self.log, self.connectors = directory, log, connectors
        self.bodies, self.limit, self.clock, self.frontend = bodies, limit, clock, frontend
        self.keys, self.activity, self.callers, self.large = keys, activity, callers, large
        self.in_progress = 0
        self.rates = ClientRates()

    def find(self, id: str) -> Found | None:
        connection = self.directory.connection(id)
        connector = self.connectors.get(connection.connector) if connection else None
        return (connector, connector.webhook, connection) if connector and connector.webhook and connection else None

    def is_public(self, id: str) -> bool:
        """Whether pages of every site may read what is answered; so they may that there is no such connection."""
        found = self.find(id)
        return found is None or found[1].public

    def check(self, id: str, scope: Mapping[str, Any]) -> Reply:
        """Answers a GET, as some vendors send when a URL is registered."""
        if not (found := self.find(id)):
            return later(why) if (why := self.directory.missing()) else NOT_FOUND
        connector, webhook, connection = found
        if connection.locked:
            return later(LOCKED)
        if not webhook.handshake:
            return POST_ONLY
        try:
            answer = webhook.handshake(self.delivery(scope, headers_of(scope), b"", "GET"), connection)
        except Refused as refusal:
            return refused(refusal, connection)
        except Exception:
            logger.exception("a connector failed in a handshake", connection=connection.id)
            return later("The request could not be answered now. Send it again.")
        if answer is None:
            return POST_ONLY
        DELIVERIES.labels(connector.name, "handshake").inc()
        return reply_to_handshake(answer)

    async def take(self, id: str, scope: Mapping[str, Any], receive: Receive) -> Reply:
        """Raises Stop and Gone while the body is read, and Stop when the vendor's keys cannot be had."""
        found = self.find(id)
        if why := self.log.missing() or self.directory.missing():
            return later(why)
        if not found:
            return NOT_FOUND
        connector, _, connection = found
        if connection.locked:
            DELIVERIES.labels(connector.name, "locked").inc()
            self.activity.note(connection, "failed", self.clock())
            return later(LOCKED)
        headers = headers_of(scope)
        if self.large.expects(connector, headers, self.limit):
            async with self.large.turn():
                body = await self.bodies.read(headers, receive, self.large.limit, READ_SECONDS)
                return await self.received(found, scope, headers, body)
        return await self.received(found, scope, headers, await self.bodies.read(headers, receive, self.limit))

    async def received(self, found: Found, scope: Mapping[str, Any], headers: dict[str, str], body: bytes) -> Reply:
        connector, webhook, connection = found
        if self.in_progress >= MAX_CONCURRENT:
            return later("More is coming in than can be taken. Nothing was kept. Send it again.")
        if webhook.public:
            peer = self.frontend.peer(scope, headers)
            headers[RATE] = str(self.rates.count(connection.id, peer, self.clock()))
        delivery = self.delivery(scope, headers, body, "POST")
        if webhook.keys:
            delivery = replace(delivery, keys=await self.keys.of(webhook.keys))
        self.in_progress += 1
        try:
            reply, outcome = await self.keep(connector, webhook, connection, delivery)
        finally:
            self.in_progress -= 1
        DELIVERIES.labels(connector.name, outcome).inc()
        if counted := COUNTED.get(outcome):
            self.activity.note(connection, counted, delivery.received_at)
        return reply

    def delivery(self, scope: Mapping[str, Any], headers: Mapping[str, str], body: bytes, method: str) -> Delivery:
        return Delivery(
            headers,
            body,
            self.clock(),
            scope["query_string"].decode("latin-1"),
            trace_of(headers),
            method,
            self.frontend.base_url(scope, headers),
            path_of(scope),
            self.frontend.peer(scope, headers),
        )

    async def keep(
        self, connector: Connector, webhook: Webhook, connection: Connection, delivery: Delivery
    ) -> tuple[Reply, str]:
        """Returns the reply, and the outcome as the metric has it."""
        try:
            if webhook.handshake and (challenged := webhook.handshake(delivery, connection)) is not None:
                return reply_to_handshake(challenged), "handshake"
            if len(delivery.body) > self.limit:
                made = await self.large.receive(connector, delivery, connection)
                delivery, facts = made.delivery, made.facts
            else:
                facts = connector.receive(delivery, connection)
            lookup = webhook.lookup
            number = lookup.number(delivery, connection) if lookup else None
        except Refused as refusal:
            self.activity.note(connection, "refused", delivery.received_at, str(refusal))
            return refused(refusal, connection), "refused"
        except NotYet as why:
            return later(str(why)), "not yet"
        except Exception:
            logger.exception("a connector failed before it had verified", connection=connection.id)
            return later("The delivery could not be verified now. Nothing was kept. Send it again."), "failed"
        facts, records = encoded(facts, connector, connection, delivery)
        finding = asyncio.create_task(self.callers.find(connection.workspace, number)) if number is not None else None
        try:
            await self.log.send(*records)
            answer = lookup.answer(await finding) if lookup and finding else webhook.answer(delivery, connection, facts)
        except NotYet as why:
            return later(str(why)), "not yet"
        except Exception:
            logger.exception("a connector has no answer; the facts are kept", connection=connection.id)
            why_not = "The delivery was kept, but cannot be answered. Send it again: repeats are counted once."
            return later(why_not), "failed"
        if debugging():
            for fact in facts:
                logger.debug("took", fact=fact.meta.id, connection=connection.id, trace=fact.meta.trace)
        for fact in facts:
            FACTS.labels(type(fact).__name__).inc()
            if isinstance(fact, DeliveryQuarantined):
                logger.warning("quarantined a delivery", fact=fact.meta.id, connection=connection.id, why=fact.reason)
        return reply_of(answer), "quarantined" if isinstance(facts[0], DeliveryQuarantined) else "taken"


def reply_of(answer: Answer) -> Reply:
    headers = tuple((name.encode(), value.encode("latin-1")) for name, value in answer.headers)
    return Reply(answer.status, answer.body, answer.content_type.encode(), headers)


def reply_to_handshake(answer: Answer) -> Reply:
    """Returns the answer as nothing that a browser would run: a handshake reflects what anybody may have sent."""
    if len(answer.body) > MAX_ECHO:
        return sentence(400, f"The answer to this request is longer than {MAX_ECHO} bytes. Nothing was kept.")
    reply = reply_of(answer)
    content_type = reply.content_type if answer.content_type.startswith(REFLECTED) else b"text/plain; charset=utf-8"
    return Reply(reply.status, reply.body, content_type, NOSNIFF)


def refused(refusal: Refused, connection: Connection) -> Reply:
    logger.info("refused a delivery", connection=connection.id, why=str(refusal))
    return sentence(401, " ".join(str(refusal).split()))
