"""Servers for one benchmark: a Postgres with read models, a Kafka with one token, and GraphQL servers."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import httpx

from crm.adapters.postgres.migrations import migrate
from crm.scalars import Id
from projections import PROJECTIONS
from services.stack import kafka, topics
from services.stack.access import create_token
from services.stack.kafka import Kafka
from services.stack.ports import LOCAL, any_free
from services.stack.postgres import Postgres
from services.stack.process import Process, last_lines, spawn, stop, until

PATIENCE = 90.0  # seconds for a server to be ready


class Part(Protocol):
    """A process that is started, becomes ready and is stopped."""

    @property
    def stop_by(self) -> signal.Signals: ...
    @property
    def patience(self) -> float: ...
    def start(self) -> Process: ...
    async def ready(self) -> str | None: ...


class Program:
    """A GraphQL server at `url`. It prints to a log file."""

    stop_by, patience = signal.SIGTERM, 10.0

    def __init__(
        self, name: str, command: Sequence[str], folder: Path, environment: Mapping[str, str], token: str = ""
    ) -> None:
        self.name, self.command, self.port, self.token = name, command, any_free(), token
        self.url, self.log = f"http://{LOCAL}:{self.port}/graphql", folder / f"{name}.log"
        ports = dict.fromkeys(("PORT", "CRM_API_PORT", "CRM_INTAKE_PORT"), str(self.port))
        self.environment = {**os.environ, **environment, **ports}

    @property
    def headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {self.token}"} if self.token else {}

    def start(self) -> Process:
        with self.log.open("ab") as log:
            return spawn(self.command, log, environment=self.environment)

    async def ready(self) -> str | None:
        """Returns what is missing; None when the server answers a query."""
        try:
            answer = await self.ask({"query": "{ __typename }"})
        except httpx.HTTPError:
            return f"{self.name} does not answer. {last_lines(self.log, 5)}"
        return None if answer.status_code == 200 else f"{self.name} answers {answer.status_code}: {answer.text[:300]}"

    async def ask(self, body: Mapping[str, Any]) -> httpx.Response:
        async with httpx.AsyncClient(trust_env=False, timeout=30.0) as http:
            return await http.post(self.url, json=body, headers=self.headers)


@dataclass(frozen=True)
class BenchServers:
    """A workspace with a token, on dedicated servers."""

    dsn: str
    bootstrap: str
    workspace: Id
    token: str

    def api(self, folder: Path, **more: str) -> Program:
        """Returns our API, as `crm up` runs it. `more`: of its environment."""
        environment = {"KAFKA_BOOTSTRAP": self.bootstrap, "DATABASE_URL": self.dsn, "CRM_LOG_LEVEL": "warning", **more}
        environment["CRM_RATE_POINTS"] = "0"  # one token asks as fast as it can
        return Program("potik", [sys.executable, "-m", "api"], folder, environment, self.token)


@contextlib.asynccontextmanager
async def running(*parts: Part) -> AsyncIterator[None]:
    """Starts all and waits until they are ready; stops them in this order. Raises RuntimeError when one is not."""
    processes = [(part, part.start()) for part in parts]
    try:
        await asyncio.gather(*(until(part.ready, PATIENCE) for part in parts))
        yield
    finally:
        for part, process in processes:
            await stop(process, part.stop_by, part.patience)


@contextlib.contextmanager
def scratch_folder() -> Iterator[Path]:
    """Makes a temporary folder that servers of another user can read."""
    with tempfile.TemporaryDirectory(prefix="crm-bench-") as place:
        folder = Path(place)
        folder.chmod(0o755)
        yield folder


@contextlib.asynccontextmanager
async def bench_servers(folder: Path) -> AsyncIterator[BenchServers]:
    """Starts servers with empty tables. Their data is in the folder."""
    jars = await kafka.prepare(lambda _: None)
    postgres, broker = Postgres(folder / "postgres", any_free()), Kafka(folder / "kafka", any_free(), jars)
    async with running(broker, postgres):
        await topics.create_missing(broker.bootstrap)
        await asyncio.to_thread(migrate, postgres.dsn, PROJECTIONS.values())
        workspace = Id(str(uuid4()))
        token = await create_token(broker.bootstrap, workspace, "benchmark", ("read",))
        yield BenchServers(postgres.dsn, broker.bootstrap, workspace, token.text)
