"""Facts in a workspace of one test, and records as aiokafka returns them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
from psycopg import AsyncConnection

from crm.contract.codec import encode
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact, named_id
from crm.scalars import Id
from crm.topics import JOURNAL, journal_partition
from streams.runtime.checkpoints import Partition
from streams.runtime.sessions import SESSION
from tests.support.scenarios import NOON, RULES


@dataclass(frozen=True)
class Record:
    """A record as aiokafka returns it."""

    value: bytes
    offset: int
    partition: int = 0
    topic: str = "crm.intake.forms"
    headers: Sequence[tuple[str, bytes]] = ()
    timestamp: int = NOON // 1000
    key: bytes = b""


@dataclass(frozen=True)
class Fetched:
    """Consecutive records of one partition, as the worker returns them."""

    records: Sequence[Record]

    @property
    def tp(self) -> Partition:
        return Partition(self.records[0].topic, self.records[0].partition)

    @property
    def offset(self) -> int:
        return self.records[0].offset


def in_workspace(fact: Fact, workspace: Id) -> Fact:
    """Returns the fact in this workspace, under another id."""
    meta = msgspec.structs.replace(fact.meta, id=named_id(workspace, fact.meta.id), workspace=workspace)
    return msgspec.structs.replace(fact, meta=meta)


def rules_of(workspace: Id) -> list[Event]:
    """Returns the events of the shop in tests.support.fact_strategies for this workspace."""
    rules = []
    for event in RULES:
        id = named_id(workspace, event.meta.id)
        meta = msgspec.structs.replace(event.meta, id=id, workspace=workspace, stream=workspace)
        rules.append(msgspec.structs.replace(event, meta=meta))
    return rules


def events_of(facts: Sequence[Fact], workspace: Id) -> list[Event]:
    """Returns the journal of a workspace that received only these facts."""
    memory = MemoryDecide()
    memory.append(*rules_of(workspace))
    for fact in facts:
        memory.take(in_workspace(fact, workspace))
    return memory.journal


def journal(events: Sequence[Event]) -> list[Record]:
    """Returns records as the relay publishes them, in commit order."""
    at: Counter[int] = Counter()
    records = []
    for event in events:
        partition = journal_partition(event.meta.stream)
        headers = [("ce_id", event.meta.id.encode()), ("position", str(at[partition]).encode())]
        key = event.meta.stream.encode()
        records.append(Record(encode(event), at[partition], partition, JOURNAL.name, headers, key=key))
        at[partition] += 1
    return records


async def open_connection(dsn: str, options: str = SESSION) -> AsyncConnection:
    return await AsyncConnection.connect(dsn, autocommit=True, options=options)
