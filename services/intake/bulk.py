"""POST /facts: the open API for bulk data. Many facts per request, one verdict per line."""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import msgspec
import structlog

from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.metrics import FACTS, LINES_REFUSED
from crm.envelope import Fact, named_id
from crm.errors import Malformed, NotYet
from crm.log import Clock, Log, Record
from crm.scalars import Id, Micros
from crm.versions import digest_of
from services.intake.body import Bodies, Receive
from services.intake.digest_cache import DigestCache
from services.intake.directory import Directory
from services.intake.fact_lines import parse_line
from services.intake.idempotency_keys import IdempotencyKeys
from services.intake.lines import NDJSON, is_ndjson, lines_of
from services.intake.records import OPEN, written
from services.intake.refusals import Line, Refusal, Verdict, verdict_of
from services.intake.reply import JSON, Reply, Stop, later, problem
from services.intake.request import trace_of
from services.intake.values import LineContext

SLICE = 100  # lines read before other requests get their turn
MAX_KEY = 200
UNAUTHORIZED = ((b"www-authenticate", b"Bearer"),)
FORBIDDEN = ((b"www-authenticate", b'Bearer error="insufficient_scope", scope="write"'),)
MAY_WRITE = {"write", "admin"}  # admin has all scopes, as in the API
TAKEN = ("accepted", "repeated")
SPECIAL = {"repeated": "repeated", "conflict": "conflicts"}
logger = structlog.get_logger()


class Conflict(Refusal):
    """The id of this line was used with other content before."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, "CONFLICT", "id")


class BulkIntake:
    """Accepts facts from holders of a token with scope write."""

    def __init__(self, directory: Directory, log: Log, bodies: Bodies, limit: int, clock: Clock) -> None:
        self.directory, self.log, self.bodies, self.limit, self.clock = directory, log, bodies, limit, clock
        self.idempotency_keys, self.digests = IdempotencyKeys(), DigestCache()

    async def take(self, headers: Mapping[str, str], receive: Receive) -> Reply:
        """Handles one request. Raises Stop and Gone."""
        if why := self.log.missing() or self.directory.missing():
            return later(why)
        received_at = self.clock()
        token = self.authorized(headers.get("authorization", ""), received_at)
        key = key_of(headers)
        body = await self.bodies.read(headers, receive, self.limit)
        content_type = headers.get("content-type", "")
        lines = await asyncio.to_thread(lines_of, content_type, body)  # other requests continue meanwhile
        if key and not self.idempotency_keys.accepts(f"{token.id}/{key}", body):
            why = f"The Idempotency-Key {key!r} was used with another body before. Nothing was kept. Use a new key."
            raise Stop(problem(422, why))
        batch = named_id(token.id, f"batch/{key}") if key else Id(str(uuid4()))
        home = self.directory.home(token.workspace)
        context = LineContext(token.id, token.workspace, received_at, trace_of(headers), home)
        taken = await read(lines, batch, context, self.digests, named=bool(key))
        if taken.records:
            try:
                await self.log.send(*taken.records)
            except NotYet as error:
                return later(str(error))
            self.digests.add(taken.digests)
        count(taken)
        if debugging():
            for verdict in taken.verdicts:
                if verdict.status in TAKEN:
                    logger.debug("accepted", fact=verdict.id, token=token.id)
        return as_ndjson(taken.verdicts) if is_ndjson(content_type) else as_json(taken.verdicts)

    def authorized(self, header: str, at: Micros) -> Any:
        """Returns the token. Raises Stop without a valid one that may write."""
        scheme, _, text = header.partition(" ")
        token = self.directory.token(text.strip(), at) if scheme.lower() == "bearer" else None
        if token is None:
            raise Stop(problem(401, "Send Authorization: Bearer with a valid token. Nothing was kept.", UNAUTHORIZED))
        if not token.scopes & MAY_WRITE:
            why = "This token lacks the scope write. Nothing was kept. Create one that has it."
            raise Stop(problem(403, why, FORBIDDEN))
        return token


@dataclass
class Taken:
    """The result of the lines of one request so far."""

    verdicts: list[Verdict] = field(default_factory=list)
    records: list[Record] = field(default_factory=list)
    digests: dict[Id, str] = field(default_factory=dict)  # of facts whose id stays the same when they are sent again


async def read(lines: Sequence[Line], batch: Id, context: LineContext, known: DigestCache, named: bool) -> Taken:
    """Returns one verdict per line; a bad line does not stop the others.

    A line without an id gets one from `batch` and its number. `named`: the request has an Idempotency-Key, so that
    these ids too are the same when the request is repeated.
    """
    taken = Taken()
    for number, line in enumerate(lines, 1):
        if line == b"":
            continue
        try:
            if isinstance(line, Refusal):
                raise line
            fact = parse_line(line, lambda number=number: named_id(batch, str(number)), context, named)  # type: ignore[misc]  # its default
            taken.verdicts.append(take(fact, taken, known))
        except Conflict as error:
            taken.verdicts.append(verdict_of(error, number, line, "conflict"))
        except Malformed as error:
            taken.verdicts.append(verdict_of(error, number, line))
        if not number % SLICE:
            await asyncio.sleep(0)
    return taken


def take(fact: Fact, taken: Taken, known: DigestCache) -> Verdict:
    """Adds the record of a fact, also of a repeated one: it is decided once, and Kafka may have lost it.

    Raises Malformed, or Conflict when the id was used with other content.
    """
    id, status, digest = fact.meta.id, "accepted", digest_of(fact)
    if digest:
        before = taken.digests.get(id) or known.get(id)
        if before and before != digest:
            raise Conflict(
                f"This id was used before with other content, which is kept as fact {id}. "
                "This line was not accepted. Use a new id for a new fact."
            )
        status = "repeated" if before else status
    taken.records.append(written(fact, OPEN, digest))
    if digest:
        taken.digests[id] = digest
    return Verdict(status, id)


def key_of(headers: Mapping[str, str]) -> str:
    """Returns the Idempotency-Key without quotes, which are part of the header's syntax but often left out."""
    key = headers.get("idempotency-key", "").strip()
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if len(key) > MAX_KEY:
        raise Stop(problem(400, f"The Idempotency-Key is longer than {MAX_KEY} characters. Nothing was kept."))
    return key


def count(taken: Taken) -> None:
    for name, number in Counter(dict(record.headers)["ce_type"] for record in taken.records).items():
        FACTS.labels(name.decode()).inc(number)
    LINES_REFUSED.inc(len(taken.verdicts) - len(taken.records))


def as_json(verdicts: list[Verdict]) -> Reply:
    """Answers with the verdicts and the numbers of accepted, refused, repeated and conflicting facts."""
    statuses = Counter(verdict.status for verdict in verdicts)
    accepted = sum(statuses[status] for status in TAKEN)
    answer: dict[str, Any] = {"accepted": accepted, "refused": len(verdicts) - accepted}
    answer |= {name: statuses[status] for status, name in SPECIAL.items() if statuses[status]}
    return Reply(200, msgspec.json.encode({**answer, "facts": verdicts}), JSON)


def as_ndjson(verdicts: list[Verdict]) -> Reply:
    return Reply(200, b"".join(msgspec.json.encode(verdict) + b"\n" for verdict in verdicts), NDJSON[0].encode())
