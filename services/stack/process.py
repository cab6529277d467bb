"""Child processes that end with their parent, and stop cleanly or not at all."""

import asyncio
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
POLL = 0.05  # seconds

Process = subprocess.Popen[bytes]


def spawn(
    command: Sequence[str],
    output: int | IO[bytes],
    *,
    dies_by: signal.Signals = signal.SIGKILL,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    user: int | None = None,
) -> Process:
    """Starts a child in a process group of its own: Ctrl-C reaches the supervisor alone, which then stops all in order.

    `dies_by` is what the kernel sends the child when its parent dies, kill -9 included (Linux only). It follows the
    thread that forked, so call this from the main thread.
    """
    parent = os.getpid()

    def tie() -> None:
        if LIBC:
            LIBC.prctl(PR_SET_PDEATHSIG, int(dies_by))
            if os.getppid() != parent:
                os.kill(os.getpid(), signal.SIGKILL)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=environment,
        cwd=folder,
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        process_group=0,
        preexec_fn=tie,
    )


async def ended(process: Process) -> int:
    """Waits for the end of the process and returns its exit code."""
    while (code := process.poll()) is None:
        await asyncio.sleep(POLL)
    return code


async def until(missing: Callable[[], Awaitable[str | None]], patience: float) -> None:
    """Asks until nothing is missing. Raises RuntimeError with the last answer."""
    said: str | None = "no answer"
    try:
        async with asyncio.timeout(patience):
            while said := await missing():
                await asyncio.sleep(POLL)
    except TimeoutError:
        raise RuntimeError(f"Not ready after {patience:.0f} s: {said}") from None


async def stop(process: Process, by: signal.Signals, patience: float) -> bool:
    """Asks, waits up to `patience` seconds, then kills. True if it went by itself."""
    if process.poll() is None:
        process.send_signal(signal.SIGCONT)
        process.send_signal(by)
    try:
        async with asyncio.timeout(patience):
            await ended(process)
    except TimeoutError:
        process.kill()
        await ended(process)
        return False
    return True


def last_lines(log: Path, count: int = 15) -> str:
    """The end of a log file, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
