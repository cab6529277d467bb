"""Encodes a fact as a Kafka record: key, framed value, and CloudEvents headers."""

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
