"""What the API and intake say to each other of a quarantined delivery: intake knows the connectors, the API the state.

Nothing is changed by asking: what intake answers takes effect when the API writes it to Kafka.
"""

from msgspec import Struct

from crm.log import Record
from crm.scalars import Id, Micros

PATH = "/reread"
MOST = 2_500_000  # bytes of a question: one record and what is around it


class Entry(Struct, frozen=True, gc=False):
    """One quarantined delivery, as its row has it."""

    id: Id
    workspace: Id
    connection: str
    connector: str
    reason: str
    content_type: str
    size: int
    sha256: str
    topic: str
    partition: int
    offset: int
    status: str
    attempts: int
    touched_by: str
    received_at: Micros
    quarantined_at: Micros
    at_risk: str = ""  # lead, payment or nothing
    phones: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()


class RereadRequest(Struct, frozen=True, gc=False):
    """`tried`: attempts before this one. `record`: the delivery's record in Kafka. `actor`: who asks, for the journal.
    `discard`: why it is not needed; then it is not read at all."""

    entry: Entry
    tried: int
    record: Record
    actor: str
    discard: str = ""


class ReadFact(Struct, frozen=True, gc=False):
    """A fact that the delivery would be: its type, and its content as JSON without the envelope."""

    type: str
    content: str


class Reread(Struct, frozen=True, gc=False):
    """What the connector of today makes of it.

    `records` are written in their order, the last one is the verdict. `ids`: of all of them. `status`: of the entry
    then, as far as it can be known before. `summary`: in words.
    """

    records: tuple[Record, ...]
    ids: tuple[Id, ...]
    status: str
    summary: str
    facts: tuple[ReadFact, ...] = ()
    senders: tuple[str, ...] = ()  # whose facts they are: those of one sender stay in order
