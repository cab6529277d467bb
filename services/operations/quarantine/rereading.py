"""Reads a quarantined record again with today's connectors. Pure: nothing is sent here."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from crm.connector import Connection, Connector, delivery_of
from crm.contract.codec import encode
from crm.decisions.delivery import NOBODY, decode_fact
from crm.envelope import Fact, named_id
from crm.errors import Malformed
from crm.facts import DeliveryDiscarded, DeliveryQuarantined, DeliveryReparsed, FactRetried
from crm.log import Record
from crm.rereads import Entry
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.topics import QUARANTINE
from services.intake.records import CE_TYPES, CONTENT_TYPE, MAX_RECORD, record_of


class Attempt(Struct, frozen=True, gc=False):
    """`facts` are sent first; the delivery counts as tried once `verdict` is decided on.

    Sent twice is sent once: the ids of the facts are the vendor's, that of the verdict is the attempt's.
    """

    entry: Entry
    tried: int  # attempts before this one
    facts: tuple[Record, ...]
    verdict: Record
    ids: tuple[Id, ...]  # of all these
    senders: frozenset[str]  # whose facts they are: the facts of one sender stay in order
    expected_status: str  # its status if this is sent, as far as it can be known before
    summary: str  # in words


class Operator(Struct, frozen=True, gc=False):
    """Who retries, when, and with which connectors."""

    actor: str
    now: Micros
    connections: Mapping[str, Connection]
    connectors: Mapping[str, Connector]


def attempt(entry: Entry, tried: int, record: Any, by: Operator) -> Attempt:
    """Returns the outcome of a retry. `record` is the entry's record in Kafka, `tried` counts earlier attempts."""
    value = record.value or b""
    id = named_id(entry.id, f"attempt/{tried + 1}")
    try:
        fact = decode_fact(value)
        about = envelope(entry, id, fact.meta.stream, by)
        if entry.workspace == NOBODY:
            again = Record(record.topic, record.key or b"", value, tuple(record.headers))
            return reparsed(entry, tried, about, [(fact, again)])
        if isinstance(fact, DeliveryQuarantined):
            facts, reason = reread(entry, fact, by)
            return reparsed(entry, tried, about, facts, reason)
        verdict, senders = on_quarantine(FactRetried(about, entry.id, value)), frozenset([fact.meta.stream])
        summary = "it would be decided on again"
        return Attempt(entry, tried, (), verdict, (id,), senders, "decided again", summary)
    except Malformed as error:
        return reparsed(entry, tried, envelope(entry, id, entry.id, by), [], str(error))


def reread(entry: Entry, kept: DeliveryQuarantined, by: Operator) -> tuple[list[tuple[Fact, Record]], str]:
    """Returns the facts that today's connector reads, and why it still cannot read it, if so. Raises Malformed."""
    connector, connection = by.connectors.get(kept.connector), by.connections.get(kept.meta.source)
    if not connector or not connector.reads:
        raise Malformed(f"There is no connector {kept.connector!r} in this version of Potik.")
    if not connection:
        raise Malformed(f"The connection {kept.meta.source} is not declared any more; its settings are needed.")
    found = connector.read(delivery_of(kept.raw, kept.meta.recorded_at, kept.meta.trace), connection)
    facts = [(fact, record_of(fact, connector.family)) for fact in found if fact.meta.id != entry.id]
    still = [fact.reason for fact in found if fact.meta.id == entry.id and isinstance(fact, DeliveryQuarantined)]
    return facts, "; ".join(still)


def reparsed(entry: Entry, tried: int, about: Meta, found: list[tuple[Fact, Record]], reason: str = "") -> Attempt:
    verdict = on_quarantine(DeliveryReparsed(about, entry.id, len(found), reason))
    return Attempt(
        entry=entry,
        tried=tried,
        facts=tuple(record for _, record in found),
        verdict=verdict,
        ids=(*(fact.meta.id for fact, _ in found), about.id),
        senders=frozenset(fact.meta.stream for fact, _ in found),
        expected_status="waiting" if reason else "released",
        summary=reason or "it gives " + ", ".join(type(fact).__name__ for fact, _ in found),
    )


def discarded(entry: Entry, tried: int, reason: str, by: Operator) -> Record:
    about = envelope(entry, named_id(entry.id, f"discard/{tried}"), entry.id, by)
    return on_quarantine(DeliveryDiscarded(about, entry.id, reason))


def envelope(entry: Entry, id: Id, stream: Id, by: Operator) -> Meta:
    place = entry.topic, entry.partition, entry.offset
    return Meta(id, entry.workspace, stream, by.now, by.now, entry.connection, id, *place, actor=by.actor)


def on_quarantine(fact: Fact) -> Record:
    """Returns the record of an operator's verdict. Raises Malformed when it is larger than one record may be."""
    value, meta = encode(fact), fact.meta
    if len(value) > MAX_RECORD:
        raise Malformed(f"with its envelope it takes {len(value)} bytes, more than the {MAX_RECORD} of one record")
    headers = ("ce_id", meta.id.encode()), CE_TYPES[type(fact)], ("ce_source", meta.source.encode()), CONTENT_TYPE
    return Record(QUARANTINE.name, meta.stream.encode(), value, headers)
