"""An event of the journal: its workspace is read without decoding, everything else when it is needed."""

from collections.abc import Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

import msgspec

from crm.contract import compiled
from crm.contract.codec import FRAME, NEWEST, STRUCTS, decode, type_of
from crm.contract.registry import definitions
from crm.moments import nearest
from crm.scalars import Id
from crm.shared import Meta

# Every event starts with `meta`, whose first two fields are UUIDs as text, so they are at the same bytes in all events.
UUID = 36
UUIDS_LENGTH = UUID << 1  # as Avro encodes it before the text
ID_AT = FRAME.size + 1
WORKSPACE_AT = ID_AT + UUID + 1
read_meta = compiled.reader(definitions(NEWEST["DealOpened"])["Meta"], STRUCTS)


class JournalEntry:
    """One event at its position. Its attributes are the fields of GraphQL's Event."""

    def __init__(self, partition: int, position: int, headers: Sequence[tuple[str, bytes]], value: bytes) -> None:
        self.partition, self.position, self.headers, self.value = partition, position, headers, value

    @property
    def id(self) -> Id:
        return Id(dict(self.headers)["ce_id"].decode())

    @property
    def type(self) -> str:
        """Comes from the header, which also names types that only a newer version of this code knows."""
        return dict(self.headers)["ce_type"].decode()

    @cached_property
    def event(self) -> Any:
        """The decoded event; None for a type that only a newer version knows. Raises Malformed."""
        return decode(self.value) if type_of(self.value) else None

    @cached_property
    def meta(self) -> Meta:
        found: Meta = self.event.meta if self.event else read_meta(self.value, FRAME.size)[0]
        return found

    @property
    def stream(self) -> Id:
        return self.meta.stream

    @property
    def occurred_at(self) -> datetime:
        return nearest(self.meta.occurred_at)

    @property
    def recorded_at(self) -> datetime:
        return nearest(self.meta.recorded_at)

    @property
    def actor(self) -> str:
        return self.meta.actor

    @property
    def cause(self) -> Id:
        return self.meta.cause

    @cached_property
    def data(self) -> dict[str, Any] | None:
        """The event's own fields, named as in schemas/avro/events."""
        if self.event is None:
            return None
        fields: dict[str, Any] = msgspec.to_builtins(self.event)
        del fields["meta"]
        return fields


def workspace_of(value: bytes) -> bytes:
    """Returns the workspace of an encoded event. Raises Malformed when the record is not an event."""
    if len(value) > WORKSPACE_AT and value[ID_AT - 1] == value[WORKSPACE_AT - 1] == UUIDS_LENGTH:
        return value[WORKSPACE_AT : WORKSPACE_AT + UUID]
    workspace: str = decode(value).meta.workspace
    return workspace.encode()
