"""What `crm doctor` looks at: each check gives its findings as sentences with what to do."""

import importlib.metadata
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import psycopg

from crm.settings import Settings, mask, variable
from services.cli.status import lag
from services.stack import topics
from services.stack.answers import unreachable
from services.stack.state import NotRunning, StackState, running

MUCH_LAG = 10_000  # records behind that are worth a word
LITTLE_DISK = 2 << 30  # bytes
STANDING = "SELECT DISTINCT consumer, failed FROM core.checkpoint WHERE failed IS NOT NULL ORDER BY consumer"


@dataclass(frozen=True)
class Finding:
    """One looked-at thing."""

    about: str
    ok: bool
    sentence: str


@dataclass(frozen=True)
class Patient:
    """What is examined. Addresses are empty when nothing tells them."""

    data: Path
    stack: StackState | None
    kafka_bootstrap: str
    database_url: str
    settings: dict[str, str]  # masked


def examine(data: Path) -> Patient:
    settings = Settings.read()
    try:
        stack = running(data)
    except NotRunning:
        stack = None
    bootstrap = stack.kafka_bootstrap if stack else os.environ.get("KAFKA_BOOTSTRAP", "")
    dsn = stack.database_url if stack else os.environ.get("DATABASE_URL", "")
    told = settings.masked()
    if stack:
        told |= {variable("kafka_bootstrap"): bootstrap, variable("database_url"): mask(dsn)}
    return Patient(data, stack, bootstrap, dsn, told)


def python(_: Patient) -> list[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return [Finding("python", ok, f"Python {version}" + ("." if ok else " is too old: 3.11 or newer is needed."))]


def packages(_: Patient) -> list[Finding]:
    try:
        needed = importlib.metadata.requires("potik") or []
    except importlib.metadata.PackageNotFoundError:
        return [Finding("packages", True, "Potik runs from its source; its packages are not listed here.")]
    names = [re.split(r"[^\w.-]", text)[0] for text in needed if "extra ==" not in text]
    missing = [name for name in names if not any(importlib.metadata.distributions(name=name))]
    if missing:
        return [Finding("packages", False, f"Not installed: {', '.join(missing)}. `make run` installs them.")]
    return [Finding("packages", True, f"All {len(names)} are installed.")]


def disk(patient: Patient) -> list[Finding]:
    folder = next(path for path in (patient.data, *patient.data.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    sentence = f"{free / (1 << 30):.1f} GB free for {patient.data}."
    return [Finding("disk", free > LITTLE_DISK, sentence + ("" if free > LITTLE_DISK else " Free some: Kafka stops."))]


async def kafka_answers(patient: Patient) -> list[Finding]:
    if not patient.kafka_bootstrap:
        return [Finding("kafka", False, "No Kafka is known: start the stack with `crm up`, or set KAFKA_BOOTSTRAP.")]
    if missing := await unreachable(patient.kafka_bootstrap):
        return [Finding("kafka", False, f"{missing}. Look into {patient.data / 'kafka.log'}.")]
    return [Finding("kafka", True, f"Kafka answers at {patient.kafka_bootstrap}.")]


async def topics_fit(patient: Patient) -> list[Finding]:
    if not patient.kafka_bootstrap:
        return []
    wrong = await topics.differences(patient.kafka_bootstrap)
    return [Finding("topics", False, text) for text in wrong] or [Finding("topics", True, "All are as declared.")]


async def postgres_answers(patient: Patient) -> list[Finding]:
    from projections import PROJECTIONS

    if not patient.database_url:
        return [Finding("postgres", False, "No Postgres is known: start the stack with `crm up`, or set DATABASE_URL.")]
    wanted = ["core.checkpoint", *(f"read.{projection.table}" for projection in PROJECTIONS.values())]
    try:
        async with await psycopg.AsyncConnection.connect(patient.database_url, connect_timeout=5) as conn:
            query = "SELECT t FROM unnest(%s::text[]) AS t WHERE to_regclass(t) IS NULL"
            missing = [name for (name,) in await (await conn.execute(query, [wanted])).fetchall()]
            version = conn.info.parameter_status("server_version")
            still = [] if missing else await (await conn.execute(STANDING)).fetchall()
    except psycopg.OperationalError as error:
        text = f"Postgres does not answer at {mask(patient.database_url)}: {str(error).strip()}"
        return [Finding("postgres", False, f"{text}. Look into {patient.data / 'postgres.log'}.")]
    if missing:
        return [Finding("postgres", False, f"These tables are missing: {', '.join(missing)}. `crm up` makes them.")]
    answers = Finding("postgres", True, f"Postgres {version} answers and has its {len(wanted)} tables.")
    advice = "The others go on. Mend its fold, then start the project role again: it goes on where it stands."
    return [answers, *(Finding(name, False, f"{name} stands still: {why}. {advice}") for name, why in still)]


def roles_ready(patient: Patient) -> list[Finding]:
    if not patient.stack:
        return [Finding("roles", False, f"No stack runs on {patient.data}: start it with `crm up`.")]
    return [
        Finding(
            part.name,
            part.state == "ready",
            f"ready, started again {part.restarts} times."
            if part.state == "ready"
            else f"{part.state}: {part.missing or 'no reason given'}. Its log lines say more.",
        )
        for part in patient.stack.parts
    ]


def lags_small(patient: Patient) -> list[Finding]:
    behind = {part.name: lag(part) for part in patient.stack.parts} if patient.stack else {}
    return [
        Finding("lag", count < MUCH_LAG, f"{name} is {count:,} records behind.")
        for name, count in behind.items()
        if count is not None
    ]


OFFLINE = (python, packages, disk)
ONLINE = (kafka_answers, topics_fit, postgres_answers, roles_ready, lags_small)
