"""One row per delivery in quarantine: the reason, where its raw bytes are, and what became of it."""

from msgspec.structs import replace

from crm import facts
from crm.connector_catalogue import connectors_of
from crm.envelope import Row
from crm.events import FactQuarantined, QuarantineAttempted, QuarantineSettled
from crm.projection import projection
from crm.scalars import Id, Micros

# Types of facts about money alone, which have a payer: of the open API they stand in place of a connector. Read off the
# facts themselves, as every process that folds would load all decisions otherwise.
MONEY = {name for name, fact in vars(facts).items() if "payer" in getattr(fact, "__struct_fields__", ())}
# Reports of a sender's own records: a person in one is in the sender's books, and waits for no answer here.
RECORDS = {"ObjectReported"}
UNREADABLE = "kafka"  # the connector of a record that does not even tell its workspace


class QuarantineRow(Row, frozen=True, gc=False):
    """An authentic delivery that could not be understood. Its raw bytes lie in Kafka, where the cause says."""

    quarantine_id: Id
    connection: str
    connector: str
    reason: str  # the newest
    content_type: str
    size: int
    sha256: str
    excerpt: str
    cause_topic: str
    cause_partition: int
    cause_offset: int
    received_at: Micros
    quarantined_at: Micros  # here; entries of one place stand in the order of their offsets
    status: str = "waiting"  # then released or discarded
    attempts: int = 0  # to take it up again
    touched_at: Micros | None = None  # when it was last tried or settled
    touched_by: str = ""
    at_risk: str = ""  # lead: somebody may wait for an answer; payment: money may be missing
    phones: tuple[str, ...] = ()  # that stand in it; whose they are is not known
    emails: tuple[str, ...] = ()


@projection(key="quarantine_id", version=4, indexes=("received_at",))
def quarantine(
    row: QuarantineRow | None, event: FactQuarantined | QuarantineAttempted | QuarantineSettled
) -> QuarantineRow | None:
    match event:
        case FactQuarantined():
            return QuarantineRow(
                quarantine_id=event.quarantine_id,
                connection=event.meta.source,
                connector=event.connector,
                reason=event.reason,
                content_type=event.content_type,
                size=event.size,
                sha256=event.sha256,
                excerpt=event.excerpt,
                cause_topic=event.meta.cause_topic,
                cause_partition=event.meta.cause_partition,
                cause_offset=event.meta.cause_offset,
                received_at=event.meta.occurred_at,
                quarantined_at=event.meta.recorded_at,
                at_risk=risk(event.connector, bool(event.phones or event.emails)),
                phones=event.phones,
                emails=event.emails,
            )
        case QuarantineAttempted() if row and row.status == "waiting":
            row = replace(row, reason=event.reason, attempts=event.attempts)
        case QuarantineSettled() if row:
            row = replace(row, reason=event.reason or row.reason, attempts=event.attempts, status=event.status)
        case _:
            return row
    return replace(row, touched_at=event.meta.recorded_at, touched_by=event.meta.actor)


def risk(connector: str, reachable: bool) -> str:
    """`reachable`: a phone number or an address stands in the bytes. What is not known to tell of money alone may hold
    a person, so a new connector is counted rather than overlooked."""
    money = connector in MONEY or connector in connectors_of("banking")
    person = connector not in RECORDS and (reachable or not (money or connector == UNREADABLE))
    return "lead" if person else "payment" if money else ""
