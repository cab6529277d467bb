"""Sends lines of facts over HTTP or straight to Kafka. Both give one verdict per line, as POST /facts does."""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol, Self
from uuid import uuid4

import httpx
import msgspec
import structlog

from crm.adapters.kafka.address import servers_of
from crm.adapters.kafka.directory import Access
from crm.adapters.kafka.producer import KafkaLog
from crm.envelope import now
from crm.scalars import Id
from crm.topics import INTAKE
from services.intake.digest_cache import DigestCache
from services.intake.line_reader import LineReader
from services.intake.lines import NDJSON
from services.intake.refusals import Line, Verdict
from services.intake.values import LineContext

TRIES = 8  # of one batch, with a growing pause
LONGEST_PAUSE = 30.0  # seconds
KAFKA_SECONDS = 60.0
VERDICTS = msgspec.json.Decoder(Verdict)
logger = structlog.get_logger()


class Unsent(ValueError):
    """Nothing more can be sent: a sentence on why."""


class Sender(Protocol):
    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None: ...
    def send(self, lines: Sequence[bytes]) -> list[Verdict]:
        """Returns the verdict of each line. Raises Unsent."""


class HttpSender:
    """POST /facts, batch after batch on one connection. It is repeated while intake answers 503 or not at all."""

    def __init__(self, url: str, token: str, *, dry: bool = False, pause: float = 1.0, transport: Any = None) -> None:
        self.url, self.pause = f"{url}?dry_run=1" if dry else url, pause
        headers = {"authorization": f"Bearer {token}", "content-type": NDJSON[0]}
        self.http = httpx.Client(headers=headers, timeout=120, trust_env=False, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def send(self, lines: Sequence[bytes]) -> list[Verdict]:
        body, why = b"\n".join(lines), ""
        for attempt in range(TRIES):
            if attempt:
                time.sleep(min(self.pause * 2**attempt, LONGEST_PAUSE))
            try:
                answer = self.http.post(self.url, content=body)
            except httpx.TransportError as error:
                why = f"{self.url} cannot be reached: {str(error) or type(error).__name__}."
                logger.warning("trying again", why=why)
                continue
            if answer.headers.get("content-type") == NDJSON[0]:
                return [VERDICTS.decode(line) for line in answer.content.splitlines()]
            why = reason_of(answer)
            if answer.status_code != 503:
                break
            logger.warning("trying again", why=why)
        raise Unsent(why)


def reason_of(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.text.strip()[:300]}"


class KafkaSender:
    """Writes what POST /facts would write for this token: the same ids, so that a fact sent both ways counts once."""

    def __init__(self, bootstrap: str, token: str, *, dry: bool = False) -> None:
        self.bootstrap, self.text, self.dry = bootstrap, token, dry
        self.runner, self.access, self.known = asyncio.Runner(), Access(), DigestCache()
        self.log = KafkaLog(bootstrap, [INTAKE["facts"].name], timeout=KAFKA_SECONDS)

    def __enter__(self) -> Self:
        try:
            self.runner.run(self.connect())
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.runner.run(self.disconnect())
        self.runner.close()

    async def connect(self) -> None:
        await self.log.__aenter__()
        try:
            async with asyncio.timeout(KAFKA_SECONDS):
                await self.access.start(self.bootstrap)
                while self.log.missing():
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise Unsent(f"Kafka at {servers_of(self.bootstrap)} did not answer within {KAFKA_SECONDS:g} s.") from None
        token = self.access.token(self.text)
        if token is None or not token.scopes & {"write", "admin"}:
            raise Unsent("The token is unknown, revoked or expired, or lacks the scope write.")
        self.token, self.home = token, self.access.home(token.workspace)

    async def disconnect(self) -> None:
        await self.access.stop()
        await self.log.__aexit__()

    def send(self, lines: Sequence[bytes]) -> list[Verdict]:
        return self.runner.run(self.write(lines))

    async def write(self, lines: Sequence[Line]) -> list[Verdict]:
        context = LineContext(self.token.id, self.token.workspace, now(), "", self.home)
        reader = LineReader(Id(str(uuid4())), context, self.known, named=False, dry=self.dry)
        part = await reader.read(lines, 0)
        if part.records and not self.dry:
            await self.log.send(*part.records)
        self.known.add(part.digests)
        return part.verdicts
