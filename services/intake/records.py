"""Encodes a fact as a Kafka record: key, framed value, and CloudEvents headers."""

from msgspec.structs import replace

from crm.connector import Connection, Connector, Delivery, clean, quarantined
from crm.contract.codec import TYPE_NAMES, encode
from crm.decisions import RULES
from crm.envelope import Fact
from crm.errors import Malformed
from crm.log import Headers, Record
from crm.topics import TOPICS
from crm.versions import DIGEST

MAX_RECORD = 2_000_000  # bytes; the intake topics take batches of 2 MiB
MAX_BODY = MAX_RECORD - 200_000  # so that any delivery fits into quarantine together with its headers
CE_TYPES = {record: ("ce_type", name.encode()) for record, name in TYPE_NAMES.items()}
CONTENT_TYPE = ("content-type", b"application/avro")
MAX_RECORDS_BYTES = 32_000_000  # of one delivery: each of its facts holds the raw body
OPEN = TOPICS["facts"].name  # one topic for all types: there is no order between two topics


def record_of(fact: Fact, family: str = "") -> Record:
    """Returns the record of a fact. `family` is the topic of raw deliveries. Raises Malformed."""
    return written(fact, TOPICS[RULES[type(fact)].family or family].name)


def written(fact: Fact, topic: str, digest: str = "") -> Record:
    """Returns the record of a fact, keyed by its stream. `digest`: of its content, if it has one. Raises Malformed."""
    value = encode(fact)
    if len(value) > MAX_RECORD:
        raise Malformed(f"its content takes {len(value)} bytes, more than the {MAX_RECORD} of one record")
    meta = fact.meta
    headers: Headers = (
        ("ce_id", meta.id.encode()),
        CE_TYPES[type(fact)],
        ("ce_source", meta.source.encode()),
        CONTENT_TYPE,
    )
    if digest:
        headers = (*headers, (DIGEST, digest.encode()))
    if meta.trace:
        headers = (*headers, ("traceparent", meta.trace.encode()))
    return Record(topic, meta.stream.encode(), value, headers)


def encoded(
    facts: list[Fact], connector: Connector, connection: Connection, delivery: Delivery
) -> tuple[list[Fact], list[Record]]:
    """Returns the facts as records; when one of them cannot be written, the delivery in quarantine in their place, and
    of a delivery that is longer than a record the part that fits."""
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
        if len(delivery.body) > MAX_BODY:
            reason += f". It has {len(delivery.body)} bytes, of which the first {MAX_BODY} were kept"
            delivery = replace(delivery, body=delivery.body[:MAX_BODY])
        raw = connector.raw(delivery, connection)
        fact = quarantined(connector.name, raw, delivery, connection, clean(reason))
        return [fact], [record_of(fact)]
