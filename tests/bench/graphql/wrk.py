"""wrk: sends bodies over a few connections as fast as they are answered."""

import asyncio
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from crm.adapters.processes import child

SCRIPT = Path(__file__).with_name("wrk.lua")
MISSING = "wrk is not here. It is a package of every Linux: `apt install wrk`. Nothing was measured."


@dataclass(frozen=True)
class Load:
    """Connections and whole seconds; the seconds of `warm_up` come before and are not counted."""

    seconds: int = 5
    warm_up: int = 1
    connections: int = 16


def program() -> str:
    """Returns the path of wrk. Raises ValueError, with what to do, when it is not installed."""
    if found := shutil.which("wrk"):
        return found
    raise ValueError(MISSING)


async def drive(url: str, token: str, bodies: Sequence[Any], folder: Path, load: Load) -> dict[str, Any]:
    """Returns requests a second and percentiles. Raises RuntimeError when wrk fails."""
    lines = folder / "bodies"
    lines.write_bytes(b"\n".join(map(msgspec.json.encode, bodies)))
    command = [
        program(),
        "-t1",
        f"-c{load.connections}",
        f"-d{load.seconds}s",
        "--timeout",
        "10s",
        "-s",
        str(SCRIPT),
        url,
    ]
    words = (*command, "--", str(lines), *filter(None, [token]))
    async with child(*words, stdout=asyncio.subprocess.PIPE) as process:
        printed, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"wrk ended with {process.returncode}: {printed.decode(errors='replace')}")
    found: dict[str, Any] = msgspec.json.decode(printed.splitlines()[-1])
    rate = round(found.pop("requests") / found.pop("micros") * 1e6, 1)
    return {"requests_per_s": rate, **found}
