"""What `crm doctor` says of the time zone rules that decide hours."""

import importlib.metadata
import re

from crm import zones
from services.cli.doctor.checks import Finding, Patient


def zone_rules(_: Patient) -> list[Finding]:
    return [ruled_by(zones.release(), pinned())]


def pinned() -> str:
    """The version that this release asks for; empty when Potik runs from its source without being installed."""
    try:
        needed = importlib.metadata.requires("potik") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    return next((found[1] for text in needed if (found := re.match(r"tzdata==([\w.]+)", text))), "")


def ruled_by(installed: str, wanted: str) -> Finding:
    text = f"tzdata {installed} decides hours; the files of the system decide nothing."
    if wanted in ("", installed):
        return Finding("zones", True, text)
    advice = (
        f"This release is pinned to {wanted}: another machine may decide an hour otherwise. `make run` installs it."
    )
    return Finding("zones", False, f"{text} {advice}")
