"""What `crm doctor` looks at on this machine and in the stack: each check gives its findings as sentences.

Its servers are in server_checks.py, what flows through them in flow_checks.py, time zones in zone_checks.py.
"""

import importlib.metadata
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from crm.settings import Settings, mask, variable
from services.cli.commands.status import lag
from services.stack.state import NotRunning, StackState, running

MUCH_LAG = 10_000  # records behind that are worth a word
MORE = " Nothing is lost. If that grows: docs/observing.md, Lag grows."
LITTLE_DISK = 2 << 30  # bytes


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
    """Of the stack's folder, and of Kafka's and Postgres's own where they lie on other disks."""
    folders: dict[int, Path] = {}
    for folder in (patient.data, patient.data / "kafka", patient.data / "postgres"):
        there = next(path for path in (folder, *folder.parents) if path.exists())
        folders.setdefault(there.stat().st_dev, folder)
    return [disk_of(folder, free_of(folder)) for folder in folders.values()]


def free_of(folder: Path) -> int:
    return shutil.disk_usage(next(path for path in (folder, *folder.parents) if path.exists())).free


def disk_of(folder: Path, free: int) -> Finding:
    sentence = f"{free / (1 << 30):.1f} GB free for {folder}."
    if free > LITTLE_DISK:
        return Finding("disk", True, sentence)
    advice = "Give it room: a full disk stops Kafka or Postgres, and intake with it. Nothing that was taken is lost."
    return Finding("disk", False, f"{sentence} {advice}")


def roles_ready(patient: Patient) -> list[Finding]:
    if not patient.stack:
        if patient.kafka_bootstrap and patient.database_url:  # a container among others
            told = "No `crm up` runs here: whatever starts the roles tells how they are; `progress` tells what they do."
            return [Finding("roles", True, told)]
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
        Finding("lag", count < MUCH_LAG, f"{name} is {count:,} records behind." + (MORE if count >= MUCH_LAG else ""))
        for name, count in behind.items()
        if count is not None
    ]
