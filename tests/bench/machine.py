"""The machine of a measurement, and percentiles."""

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any


def machine() -> dict[str, Any]:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine()
    )
    return {"cpu": model, "cores": os.cpu_count(), "python": platform.python_version()}


def percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Returns p50, p95, p99 and the maximum in milliseconds."""
    ordered = sorted(seconds)
    if not ordered:
        return {}
    at = {f"p{p}_ms": ordered[min(len(ordered) - 1, len(ordered) * p // 100)] for p in (50, 95, 99)}
    return {name: round(value * 1000, 2) for name, value in (at | {"max_ms": ordered[-1]}).items()}
