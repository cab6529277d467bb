"""POST /facts: the open API for those who stream; many facts a request, one verdict a line."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from typing import Any, Protocol
from uuid import uuid4

import msgspec
import structlog
from msgspec import UNSET, Struct, UnsetType

from crm.adapters.logs import debugging
from crm.adapters.metrics import FACTS, LINES_REFUSED
from crm.envelope import named_id
from crm.errors import Malformed, NotYet
from crm.log import Clock, Log, Record
from crm.scalars import Id, Micros
from services.intake.body import Bodies, Receive
from services.intake.lines import NDJSON, is_ndjson, lines_of
from services.intake.records import record_of
from services.intake.repeats import Repeats
from services.intake.reply import JSON, Reply, Stop, later, problem
from services.intake.request import trace_of
from services.intake.told import Teller, read_line

SLICE = 100  # lines read before others get their turn
MAX_KEY = 200
UNAUTHORIZED = ((b"www-authenticate", b"Bearer"),)
logger = structlog.get_logger()


class Verdict(Struct, frozen=True, gc=False, omit_defaults=True):
    """What became of one line."""

    status: str
    id: Id | UnsetType = UNSET
    error: str | UnsetType = UNSET


class Keys(Protocol):
    """Who may stream."""

    def token(self, text: str, at: Micros | None = None) -> Any: ...

    def missing(self) -> str | None: ...


class Streamed:
    """Takes what holders of a token with scope write send."""

    def __init__(self, keys: Keys, log: Log, bodies: Bodies, limit: int, clock: Clock) -> None:
        self.keys, self.log, self.bodies, self.limit, self.clock = keys, log, bodies, limit, clock
        self.repeats = Repeats()

    async def take(self, headers: Mapping[str, str], receive: Receive) -> Reply:
        """Raises Stop and Gone."""
        if why := self.log.missing() or self.keys.missing():
            return later(why)
        received_at = self.clock()
        token = self.authorized(headers.get("authorization", ""), received_at)
        key = key_of(headers)
        body = await self.bodies.read(headers, receive, self.limit)
        content_type = headers.get("content-type", "")
        lines = await asyncio.to_thread(lines_of, content_type, body)  # other requests go on meanwhile
        if key and not self.repeats.fits(f"{token.id}/{key}", body):
            raise Stop(
                problem(
                    422, f"The Idempotency-Key {key!r} came with another body before. Nothing was kept. Use a new one."
                )
            )
        batch = named_id(token.id, f"batch/{key}") if key else Id(str(uuid4()))
        verdicts, records = await read(lines, batch, Teller(token.id, token.workspace, received_at, trace_of(headers)))
        if records:
            try:
                await self.log.send(*records)
            except NotYet as why:
                return later(str(why))
        count(records, len(verdicts) - len(records))
        if debugging():
            for verdict in verdicts:
                if verdict.id:
                    logger.debug("took", fact=verdict.id, token=token.id)
        return as_ndjson(verdicts) if is_ndjson(content_type) else as_json(verdicts, len(records))

    def authorized(self, header: str, at: Micros) -> Any:
        """The token. Raises Stop."""
        scheme, _, text = header.partition(" ")
        token = self.keys.token(text.strip(), at) if scheme.lower() == "bearer" else None
        if token is None:
            raise Stop(problem(401, "Send Authorization: Bearer with a valid token. Nothing was kept.", UNAUTHORIZED))
        if "write" not in token.scopes:
            raise Stop(
                problem(401, "This token has no scope write. Nothing was kept. Make one that has.", UNAUTHORIZED)
            )
        return token


async def read(lines: list[bytes], batch: Id, teller: Teller) -> tuple[list[Verdict], list[Record]]:
    """A verdict a line; a bad line does not stop the others. A line without an id is named by its place."""
    verdicts, records = [], []
    for number, line in enumerate(lines, 1):
        try:
            fact = read_line(line, named_id(batch, str(number)), teller)
            records.append(record_of(fact))
            verdicts.append(Verdict("accepted", fact.meta.id))
        except Malformed as error:
            verdicts.append(Verdict("refused", error=f"Line {number}: {error}"))
        if not number % SLICE:
            await asyncio.sleep(0)
    return verdicts, records


def key_of(headers: Mapping[str, str]) -> str:
    """The Idempotency-Key, its quotes taken off (they belong to the header's syntax; many leave them out)."""
    key = headers.get("idempotency-key", "").strip()
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if len(key) > MAX_KEY:
        raise Stop(problem(400, f"The Idempotency-Key is longer than {MAX_KEY} characters. Nothing was kept."))
    return key


def count(records: list[Record], refused: int) -> None:
    for name, taken in Counter(dict(record.headers)["ce_type"] for record in records).items():
        FACTS.labels(name.decode()).inc(taken)
    LINES_REFUSED.inc(refused)


def as_json(verdicts: list[Verdict], accepted: int) -> Reply:
    answer = {"accepted": accepted, "refused": len(verdicts) - accepted, "facts": verdicts}
    return Reply(200, msgspec.json.encode(answer), JSON)


def as_ndjson(verdicts: list[Verdict]) -> Reply:
    return Reply(200, b"".join(msgspec.json.encode(verdict) + b"\n" for verdict in verdicts), NDJSON[0].encode())
