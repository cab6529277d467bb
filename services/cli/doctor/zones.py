"""Checks of the time zone rules."""

import importlib.metadata
import re

from crm import zones
from services.cli.doctor.checks import Finding, Installation


def zone_rules(_: Installation) -> list[Finding]:
    return [ruled_by(zones.release(), pinned())]


def pinned() -> str:
    """Returns the tzdata version that this release requires; empty when Potik runs from source, not installed."""
    try:
        needed = importlib.metadata.requires("potik") or []
    except importlib.metadata.PackageNotFoundError:
        return ""
    return next((found[1] for text in needed if (found := re.match(r"tzdata==([\w.]+)", text))), "")


def ruled_by(installed: str, wanted: str) -> Finding:
    text = f"Time zones come from tzdata {installed}; the system's own files are not used."
    if wanted in ("", installed):
        return Finding("zones", True, text)
    advice = f"This release requires {wanted}: other machines may compute other hours. `make run` installs it."
    return Finding("zones", False, f"{text} {advice}")
