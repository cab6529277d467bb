"""POST /facts: the open API for bulk data. Many facts per request, one verdict per line."""

import asyncio
from asyncio import Future
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl
from uuid import uuid4

import msgspec
import structlog

from crm.adapters.telemetry.logs import debugging
from crm.adapters.telemetry.metrics import FACTS, LINES_REFUSED
from crm.envelope import named_id
from crm.errors import NotYet
from crm.log import Clock, Log
from crm.scalars import Id, Micros
from services.intake.body import Bodies, Receive
from services.intake.digest_cache import DigestCache
from services.intake.directory import Directory
from services.intake.idempotency_keys import IdempotencyKeys
from services.intake.line_reader import LineReader, Part
from services.intake.lines import NDJSON, is_ndjson, lines_of
from services.intake.refusals import Line, Verdict
from services.intake.reply import JSON, Reply, Stop, later, problem
from services.intake.request import trace_of
from services.intake.values import LineContext

PART = 2_000  # lines that are read while Kafka takes the part before
MAX_KEY = 200
UNAUTHORIZED = ((b"www-authenticate", b"Bearer"),)
FORBIDDEN = ((b"www-authenticate", b'Bearer error="insufficient_scope", scope="write"'),)
MAY_WRITE = {"write", "admin"}  # admin has all scopes, as in the API
TAKEN = ("accepted", "repeated")
SPECIAL = {"would_accept": "would_accept", "repeated": "repeated", "conflict": "conflicts"}
SAID = {"": True, "1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
ENCODER = msgspec.json.Encoder()
logger = structlog.get_logger()


class BulkIntake:
    """Accepts facts from holders of a token with scope write."""

    def __init__(self, directory: Directory, log: Log, bodies: Bodies, limit: int, clock: Clock) -> None:
        self.directory, self.log, self.bodies, self.limit, self.clock = directory, log, bodies, limit, clock
        self.idempotency_keys, self.digests = IdempotencyKeys(), DigestCache()

    async def take(self, headers: Mapping[str, str], receive: Receive, query: bytes = b"") -> Reply:
        """Handles one request. Raises Stop and Gone."""
        if why := self.log.missing() or self.directory.missing():
            return later(why)
        received_at = self.clock()
        token = self.authorized(headers.get("authorization", ""), received_at)
        key, dry = key_of(headers), is_dry_run(query)
        body = await self.bodies.read(headers, receive, self.limit)
        content_type = headers.get("content-type", "")
        lines = await asyncio.to_thread(lines_of, content_type, body)  # other requests continue meanwhile
        if key and not self.idempotency_keys.accepts(f"{token.id}/{key}", body, remember=not dry):
            why = f"The Idempotency-Key {key!r} was used with another body before. Nothing was kept. Use a new key."
            raise Stop(problem(422, why))
        batch = named_id(token.id, f"batch/{key}") if key else Id(str(uuid4()))
        home = self.directory.home(token.workspace)
        context = LineContext(token.id, token.workspace, received_at, trace_of(headers), home)
        reader = LineReader(batch, context, self.digests, named=bool(key), dry=dry)
        try:
            verdicts = await self.keep(lines, reader)
        except NotYet as error:
            return later(str(error))
        return answer(verdicts, content_type, dry)

    async def keep(self, lines: Sequence[Line], reader: LineReader) -> list[Verdict]:
        """Returns one verdict per line. Each part goes to Kafka while the next one is read. Raises NotYet."""
        verdicts: list[Verdict] = []
        sending: Future[None] | None = None
        for start in range(0, len(lines), PART):
            part = await reader.read(lines[start : start + PART], start)
            verdicts += part.verdicts
            if sending:
                await sending
            sending = None if reader.dry or not part.records else asyncio.ensure_future(self.send(part))
        if sending:
            await sending
        if not reader.dry:
            LINES_REFUSED.inc(sum(verdict.status not in TAKEN for verdict in verdicts))
        return verdicts

    async def send(self, part: Part) -> None:
        await self.log.send(*part.records)
        self.digests.add(part.digests)
        for name, number in Counter(dict(record.headers)["ce_type"] for record in part.records).items():
            FACTS.labels(name.decode()).inc(number)
        if debugging():
            for verdict in part.verdicts:
                if verdict.status in TAKEN:
                    logger.debug("accepted", fact=verdict.id)

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


def key_of(headers: Mapping[str, str]) -> str:
    """Returns the Idempotency-Key without quotes, which are part of the header's syntax but often left out."""
    key = headers.get("idempotency-key", "").strip()
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if len(key) > MAX_KEY:
        raise Stop(problem(400, f"The Idempotency-Key is longer than {MAX_KEY} characters. Nothing was kept."))
    return key


def is_dry_run(query: bytes) -> bool:
    """Whether the query string asks for a dry run, in any spelling of its name. Raises Stop when it is not clear."""
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        if name.lower().replace("_", "").replace("-", "") == "dryrun":
            if value.lower() not in SAID:
                why = f"dry_run is {value[:40]!r}; it takes 1 or 0. Nothing was kept."
                raise Stop(problem(400, why))
            return SAID[value.lower()]
    return False


def answer(verdicts: list[Verdict], content_type: str, dry: bool) -> Reply:
    """Answers 200, or 422 when no line was accepted, in the format of the request."""
    statuses = Counter(verdict.status for verdict in verdicts)
    good = statuses["accepted"] + statuses["repeated"] + statuses["would_accept"]
    status = 200 if good else 422
    if is_ndjson(content_type):
        return Reply(status, ENCODER.encode_lines(verdicts), NDJSON[0].encode())
    counts: dict[str, Any] = {"accepted": 0 if dry else good, "refused": len(verdicts) - good}
    counts |= {name: statuses[status] for status, name in SPECIAL.items() if statuses[status]}
    if dry:
        counts = {"dry_run": True, **counts}
    return Reply(status, ENCODER.encode({**counts, "facts": verdicts}), JSON)
