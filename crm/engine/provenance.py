"""Traces a change of a field back to its source: event, cause, fact, raw payload."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import asdict

from crm.adapters.kafka.fact_reads import read_values
from crm.contract.codec import decode
from crm.errors import CrmError, Malformed
from crm.log import RecordRef
from crm.moments import written
from crm.scalars import Id
from crm.shared import Meta, Raw
from crm.why import Change

ENVELOPE = ("meta", "raw")
LONGEST = 4_000  # characters of a payload that a person is shown


class FactShown(Struct, frozen=True):
    """The fact that caused an event. `lost`: why it cannot be shown."""

    topic: str
    partition: int
    offset: int
    type: str = ""
    said: dict[str, Any] = {}
    content_type: str = ""
    body: str = ""  # byte for byte, what is no UTF-8 as \xNN
    lost: str = ""


class Link(Struct, frozen=True):
    """One change of a field, and all that led to it."""

    field: str
    before: Any
    value: Any
    event: str  # its type
    event_id: Id
    occurred_at: str
    recorded_at: str
    said: dict[str, Any]  # the event without its envelope
    reasons: dict[str, Any]  # rule, version, sentence: what of `said` gives grounds
    actor: str
    source: str  # the connection
    cause: Id  # the fact or the command
    fact: FactShown | None  # None: a command, which is its event

    def lines(self) -> list[str]:
        """For people, from the value to the bytes."""
        because = "; ".join(f"{name}: {value}" for name, value in self.reasons.items())
        lines = [
            f"{self.field} = {self.value!r} (before: {self.before!r})",
            f"  <- {self.event} {self.event_id}",
            f"     occurred {self.occurred_at}, recorded {self.recorded_at}",
            f"  <- {because or 'the event gives no reason'}; by {self.actor or 'nobody named'}",
        ]
        if self.fact is None:
            return [*lines, f"  <- a command, {self.cause}"]
        place = f"{self.fact.topic}/{self.fact.partition}/{self.fact.offset}"
        if self.fact.lost:
            return [*lines, f"  <- the fact {self.cause} in {place}: {self.fact.lost}"]
        body = self.fact.body if len(self.fact.body) <= LONGEST else f"{self.fact.body[:LONGEST]} …"
        return [
            *lines,
            f"  <- {self.fact.type} {self.cause} in {place}, over the connection {self.source}",
            f"  <- {self.fact.content_type or 'no raw payload'}",
            *(f"     {line}" for line in body.splitlines()),
        ]


async def chain(bootstrap: str, archive: Path | None, field: str, found: Sequence[Change]) -> list[Link]:
    """Returns each change with its fact, from Kafka, else from the archive. A fact that both have lost is described in
    `lost`, not raised."""
    owners = {record_ref(m): m.workspace for m in (change.event.meta for change in found) if m.cause_topic}
    kept = await read_values(bootstrap, archive, sorted(owners))
    facts = {ref: shown(ref, kept[ref], owners[ref]) for ref in owners}
    return [link(field, change, facts) for change in found]


def link(field: str, change: Change, facts: dict[RecordRef, FactShown]) -> Link:
    event, meta = change.event, change.event.meta
    return Link(
        field=field,
        before=change.before,
        value=change.after,
        event=type(event).__name__,
        event_id=meta.id,
        occurred_at=written(meta.occurred_at),
        recorded_at=written(meta.recorded_at),
        said=readable(event),
        reasons=change.reasons,
        actor=meta.actor,
        source=meta.source,
        cause=meta.cause,
        fact=facts.get(record_ref(meta)),
    )


def record_ref(meta: Meta) -> RecordRef:
    return meta.cause_topic, meta.cause_partition, meta.cause_offset


def shown(ref: RecordRef, value: bytes | CrmError, workspace: Id) -> FactShown:
    """`value`: the record, or why there is none."""
    try:
        fact = opened(value, workspace)
    except CrmError as error:
        return FactShown(*ref, lost=str(error))
    raw = getattr(fact, "raw", None) or Raw("", {}, "", b"")
    body = raw.body.decode(errors="backslashreplace")
    return FactShown(*ref, type(fact).__name__, readable(fact), raw.content_type, body)


def opened(value: bytes | CrmError, workspace: Id) -> Any:
    """Raises CrmError; also when the fact is of another workspace: then this is not the log that was decided from."""
    if isinstance(value, CrmError):
        raise value
    fact = decode(value)
    if fact.meta.workspace != workspace:
        raise Malformed("Something else lies there: this is not the Kafka, or the archive, that it was decided from.")
    return fact


def readable(record: Any) -> dict[str, Any]:
    """Returns the fields without the envelope and the raw bytes, which are shown apart. Headers may hold secrets."""
    plain = {name: value for name, value in asdict(record).items() if name not in ENVELOPE}
    found: dict[str, Any] = msgspec.to_builtins(plain, enc_hook=str)
    return found
