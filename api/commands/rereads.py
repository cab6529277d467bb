"""Reads a quarantined delivery again: its raw bytes from Kafka, what today's connector makes of them from intake."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
from aiokafka.errors import KafkaError

from api.commands.executor import CommandExecutor
from api.errors import Unavailable
from crm.adapters.kafka.producer import KafkaLog
from crm.adapters.kafka.reading import RecordReader
from crm.commands import Code, Rejected
from crm.decisions.delivery import decode_fact
from crm.errors import Malformed, NotYet
from crm.facts import DeliveryQuarantined
from crm.log import Record
from crm.moments import micros
from crm.rereads import PATH, Entry, Reread, RereadRequest
from crm.role_tokens import role_token
from crm.scalars import Id
from crm.secret_keys import NoSecretKey
from crm.shared import Raw
from crm.state import Quarantined
from crm.topics import INTAKE, QUARANTINE

SECONDS = 10.0  # that intake may take
PATIENCE = 5.0  # seconds until decide has taken what was sent
LOOK_AGAIN = 0.02
STATE = "SELECT key, value::text FROM core.state WHERE workspace = %s AND key = ANY (%s)"
SEEN = "SELECT count(*) FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"
HEADS = "SELECT partition, next FROM core.journal_head"
AWAY = "Intake, which reads deliveries, does not answer ({}). Nothing was changed; try again."
LATE = (
    "It was sent, and decide has not taken it within {:g} s. Nothing is lost, and sending it again counts once. "
    "Operations shows what is late."
)


class Rereads:
    """Asks intake at `url`, in the name of the workspace of a delivery."""

    def __init__(self, url: str, executor: CommandExecutor, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self.executor = executor
        self.client = httpx.AsyncClient(base_url=url, transport=transport, timeout=SECONDS, trust_env=False)

    async def record(self, entry: Entry) -> Record:
        """Returns the record of an entry. Raises Unavailable."""
        (found,) = await self.records([entry])
        if isinstance(found, str):
            raise Unavailable(found)
        return found

    async def records(self, entries: Sequence[Entry]) -> list[Record | str]:
        """Returns the record of each entry, or why Kafka does not have it. Raises Unavailable."""
        read: list[Record | str] = []
        try:
            async with RecordReader(self.executor.bootstrap) as reader:
                for entry in entries:
                    try:
                        async with asyncio.timeout(SECONDS):
                            found = await reader.record(entry.topic, entry.partition, entry.offset)
                        read.append(Record(found.topic, found.key or b"", found.value, tuple(found.headers)))
                    except NotYet as error:
                        read.append(str(error))
        except (KafkaError, TimeoutError):
            raise Unavailable("Kafka does not answer. Nothing was read; try again.") from None
        return read

    async def read_again(self, entry: Entry, actor: str, discard: str = "") -> Reread:
        """Returns what today's connector makes of it, or how it is discarded and why; changes nothing.

        Raises Rejected and Unavailable.
        """
        known = await self.state(entry)
        if known.status:
            why = f"This delivery is {known.status} already. Nothing was changed."
            raise Rejected("quarantineId", Code.UNCHANGED, why)
        return await self.ask(RereadRequest(entry, known.attempts, await self.record(entry), actor, discard))

    async def ask(self, request: RereadRequest) -> Reread:
        """Asks intake. Raises Unavailable."""
        try:
            headers = {"authorization": f"Role {role_token(self.executor.keys, request.entry.workspace)}"}
            answer = await self.client.post(PATH, content=msgspec.msgpack.encode(request), headers=headers)
            answer.raise_for_status()
            return msgspec.msgpack.decode(answer.content, type=Reread)
        except (httpx.HTTPError, msgspec.DecodeError) as error:
            raise Unavailable(AWAY.format(type(error).__name__)) from None
        except NoSecretKey as error:
            raise Unavailable(str(error)) from None

    async def send(self, *every: Reread) -> dict[int, int]:
        """Writes the facts of each and then its verdict, and waits until they are decided.

        Returns a position of the journal that has what came of them. Raises Unavailable.
        """
        try:
            async with asyncio.timeout(SECONDS), KafkaLog(self.executor.bootstrap, TOPICS, timeout=PATIENCE) as log:
                while log.missing():
                    await asyncio.sleep(LOOK_AGAIN)
                for record in (record for found in every for record in found.records):
                    await log.send(record)  # one after the other: until the last one the attempt does not count
        except (NotYet, TimeoutError) as error:
            raise Unavailable(str(error) or "Kafka does not answer. Nothing is known to be sent; try again.") from None
        return await self.decided([id for found in every for id in found.ids])

    async def decided(self, ids: Sequence[Id]) -> dict[int, int]:
        ends = time.monotonic() + PATIENCE
        async with self.executor.connection("quarantine_reparse") as conn:
            while (await (await conn.execute(SEEN, [list(ids)])).fetchone()) != (len(set(ids)),):
                if time.monotonic() > ends:
                    raise Unavailable(LATE.format(PATIENCE))
                await asyncio.sleep(LOOK_AGAIN)
            return dict(await (await conn.execute(HEADS)).fetchall())

    async def state(self, entry: Entry) -> Quarantined:
        """Returns decide's present state of an entry; the read model may be behind it."""
        return (await self.states([entry]))[entry.id]

    async def states(self, entries: Sequence[Entry]) -> dict[Id, Quarantined]:
        """Returns the same of several of one workspace."""
        keys = {f"Quarantined/{entry.id}": entry for entry in entries}
        async with self.executor.connection("quarantine_reparse") as conn:
            rows = await (await conn.execute(STATE, [entries[0].workspace, list(keys)])).fetchall() if entries else []
        found = {keys[key].id: msgspec.json.decode(value, type=Quarantined) for key, value in rows}
        return {entry.id: found.get(entry.id, Quarantined()) for entry in entries}


TOPICS = [topic.name for topic in (*INTAKE.values(), QUARANTINE)]


def raw_of(record: Record) -> Raw:
    """Returns the delivery as it came in; of a record that is no delivery, its bytes."""
    value = record.value or b""
    try:
        fact = decode_fact(value)
    except Malformed:
        return Raw("application/octet-stream", {}, "", value)
    raw = fact.raw if isinstance(fact, DeliveryQuarantined) else getattr(fact, "raw", None)
    return raw if isinstance(raw, Raw) else Raw("avro/binary", {}, "", value)


def entry_of(row: dict[str, Any], workspace: str) -> Entry:
    """Returns the entry of a row of the read model."""
    given = {name: row[name] for name in Entry.__struct_fields__ if name in row}
    given |= {name: micros(row[name]) for name in ("received_at", "quarantined_at")}
    given |= {name: tuple(row[name]) for name in ("phones", "emails")}
    given |= {name: row[f"cause_{name}"] for name in ("topic", "partition", "offset")}
    return Entry(**{**given, "id": Id(str(row["id"])), "workspace": Id(workspace)})
