"""Checks of this machine and of the stack's processes. Each returns its findings as sentences."""

import importlib.metadata
import os
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from crm.public_address import intake_url, warning
from crm.settings import Settings, mask, variable
from services.cli.commands.status import lag
from services.stack.state import NotRunning, StackState, running

MUCH_LAG = 10_000  # records of lag that are worth a warning
MORE = " Nothing is lost. If it keeps growing, see docs/observing.md, Lag grows."
LITTLE_DISK = 2 << 30  # bytes


@dataclass(frozen=True)
class Finding:
    """The result of one check. `about` is the short name in the first column."""

    about: str
    ok: bool
    sentence: str


@dataclass(frozen=True)
class Installation:
    """What is checked. Addresses are empty when neither a stack nor the environment gives them."""

    data: Path
    stack: StackState | None
    kafka_bootstrap: str
    database_url: str
    settings: dict[str, str]  # masked


def inspect_installation(data: Path) -> Installation:
    settings = Settings.read()
    try:
        stack = running(data)
    except NotRunning:
        stack = None
    bootstrap = stack.kafka_bootstrap if stack else os.environ.get("KAFKA_BOOTSTRAP", "")
    dsn = stack.database_url if stack else os.environ.get("DATABASE_URL", "")
    masked = settings.masked()
    if stack:
        masked |= {variable("kafka_bootstrap"): bootstrap, variable("database_url"): mask(dsn)}
    return Installation(data, stack, bootstrap, dsn, masked)


def python(_: Installation) -> list[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    ok = sys.version_info >= (3, 11)
    return [Finding("python", ok, f"Python {version}" + ("." if ok else " is too old: Potik needs 3.11 or newer."))]


def packages(_: Installation) -> list[Finding]:
    try:
        needed = importlib.metadata.requires("potik") or []
    except importlib.metadata.PackageNotFoundError:
        return [Finding("packages", True, "Potik runs from source; its required packages are not known here.")]
    names = [re.split(r"[^\w.-]", text)[0] for text in needed if "extra ==" not in text]
    missing = [name for name in names if not any(importlib.metadata.distributions(name=name))]
    if missing:
        return [Finding("packages", False, f"Missing packages: {', '.join(missing)}. `make run` installs them.")]
    return [Finding("packages", True, f"All {len(names)} required packages are installed.")]


def disk(installation: Installation) -> list[Finding]:
    """Free space for the data folder, and for Kafka's and Postgres's own folders where they are on other disks."""
    disks: dict[int, tuple[Path, Path]] = {}
    for folder in (installation.data, installation.data / "kafka", installation.data / "postgres"):
        existing = next(path for path in (folder, *folder.parents) if path.exists())
        disks.setdefault(existing.stat().st_dev, (folder, existing))
    return [disk_of(folder, shutil.disk_usage(existing).free) for folder, existing in disks.values()]


def disk_of(folder: Path, free: int) -> Finding:
    sentence = f"{free / (1 << 30):.1f} GB are free for {folder}."
    if free > LITTLE_DISK:
        return Finding("disk", True, sentence)
    advice = "Free some space: a full disk stops Kafka or Postgres, and with them intake. Nothing acknowledged is lost."
    return Finding("disk", False, f"{sentence} {advice}")


def public_address(installation: Installation) -> list[Finding]:
    """The address that vendors call. That it is a local one is no fault: an installation may have no vendors yet."""
    public = intake_url(Settings.read(), installation.stack.intake_url if installation.stack else "")
    said = f"Vendors call {public}. {warning(public)}".rstrip()
    return [Finding("address", True, said)]


def roles_ready(installation: Installation) -> list[Finding]:
    if not installation.stack:
        if installation.kafka_bootstrap and installation.database_url:  # a container among others
            text = "Roles are not managed by `crm up` here: ask what starts them. `progress` below shows their work."
            return [Finding("roles", True, text)]
        return [Finding("roles", False, f"No stack is running on {installation.data}: start it with `crm up`.")]
    return [
        Finding(part.name, True, f"ready; restarts so far: {part.restarts}.")
        if part.state == "ready"
        else Finding(part.name, False, f"{part.state}: {part.missing or 'no reason given'}. See its log lines.")
        for part in installation.stack.parts
    ]


def lags_small(installation: Installation) -> list[Finding]:
    lags = {part.name: lag(part) for part in installation.stack.parts} if installation.stack else {}
    return [
        Finding("lag", count < MUCH_LAG, f"{name} is {count:,} records behind." + (MORE if count >= MUCH_LAG else ""))
        for name, count in lags.items()
        if count is not None
    ]
