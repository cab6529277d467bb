"""POST /reread: the API asks what today's connector makes of a quarantined delivery. Nothing is kept or sent here."""

import asyncio
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec
from msgspec.structs import asdict

from crm.connector import Connector
from crm.contract.codec import TYPE_NAMES, decode
from crm.envelope import named_id
from crm.errors import Malformed
from crm.facts import DeliveryReparsed, FactRetried
from crm.log import Clock, Record
from crm.rereads import MOST, ReadFact, Reread, RereadRequest
from crm.role_tokens import SCHEME
from services.intake.body import Bodies, Receive
from services.intake.directory import Directory
from services.intake.reply import Reply, later, sentence
from services.operations.quarantine.rereading import Attempt, Operator, attempt, discarded

ENVELOPE = ("meta", "raw")
MSGPACK = b"application/msgpack"
ROLES_ONLY = sentence(401, "Only a role of this installation may send this. Nothing was read.")
NOT_UNDERSTOOD = sentence(400, "This is not a question of the API of this release. Nothing was read.")
DECODER = msgspec.msgpack.Decoder(RereadRequest)


class Kept(NamedTuple):
    """A record, as aiokafka names what is in it."""

    topic: str
    key: bytes
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]


class Rereads:
    """The handler. It answers roles of this installation alone, each for its workspace."""

    def __init__(self, directory: Directory, connectors: Mapping[str, Connector], bodies: Bodies, clock: Clock) -> None:
        self.directory, self.connectors, self.bodies, self.clock = directory, connectors, bodies, clock

    async def answer(self, headers: Mapping[str, str], receive: Receive) -> Reply:
        """Raises Stop and Gone."""
        if why := self.directory.missing():
            return later(why)
        scheme, _, text = headers.get("authorization", "").partition(" ")
        role = self.directory.role(text.strip()) if scheme.lower() == SCHEME else None
        if role is None:
            return ROLES_ONLY
        try:
            request = DECODER.decode(await self.bodies.read(headers, receive, MOST))
        except msgspec.DecodeError:
            return NOT_UNDERSTOOD
        if request.entry.workspace != role.workspace:
            return ROLES_ONLY
        found = await asyncio.to_thread(self.reread, request)
        return Reply(200, msgspec.msgpack.encode(found), MSGPACK)

    def reread(self, request: RereadRequest) -> Reread:
        connection = self.directory.connection(request.entry.connection)
        known = {request.entry.connection: connection} if connection else {}
        operator = Operator(request.actor, self.clock(), known, self.connectors)
        if request.discard:
            verdict = discarded(request.entry, request.tried, request.discard, operator)
            return Reread(
                (verdict,), (named_id(request.entry.id, f"discard/{request.tried}"),), "discarded", request.discard
            )
        return said(attempt(request.entry, request.tried, Kept(*request.record), operator))


def said(found: Attempt) -> Reread:
    records = (*found.facts, found.verdict)
    facts = (*filter(None, map(read_fact, records)),)
    return Reread(records, found.ids, found.expected_status, found.summary, facts, (*sorted(found.senders),))


def read_fact(record: Record) -> ReadFact | None:
    """Returns a fact for people; None of the verdict, which says nothing of the delivery itself."""
    try:
        fact: Any = decode(record.value or b"")
        if isinstance(fact, FactRetried):
            fact = decode(fact.fact)
    except Malformed:
        return None
    if isinstance(fact, DeliveryReparsed):
        return None
    content = {name: value for name, value in asdict(fact).items() if name not in ENVELOPE and value not in ("", None)}
    return ReadFact(TYPE_NAMES[type(fact)], msgspec.json.encode(content).decode())
