"""Child processes that end with their parent and can be stopped cleanly."""

import asyncio
import contextlib
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
) -> Process:
    """Starts a child in its own process group: Ctrl-C reaches only the supervisor, which then stops all in order.

    `dies_by` is the signal that the kernel sends the child when its parent dies, even by kill -9 (Linux only). It is
    bound to the thread that forked, so call this from the main thread.
    """
    parent = os.getpid()

    def die_with_parent() -> None:
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
        process_group=0,
        preexec_fn=die_with_parent,
    )


async def ended(process: Process) -> int:
    """Waits until the process has ended. Returns its exit code."""
    with contextlib.suppress(OSError, AttributeError):  # Linux tells when; elsewhere, look now and then
        if process.poll() is None:
            await readable(os.pidfd_open(process.pid))
    while (code := process.poll()) is None:
        await asyncio.sleep(POLL)
    return code


async def readable(descriptor: int) -> None:
    """Waits until something can be read, then closes the file."""
    loop, arrived = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def until(missing: Callable[[], Awaitable[str | None]], patience: float, slower: float = 1.0) -> None:
    """Waits until nothing is missing. Raises RuntimeError with the last answer after `patience` seconds.

    Each pause between two looks is `slower` times the one before: a look costs the processor that others wait for.
    """
    answer: str | None = "no answer"
    pause = POLL
    try:
        async with asyncio.timeout(patience):
            while answer := await missing():
                await asyncio.sleep(pause)
                pause *= slower
    except TimeoutError:
        raise RuntimeError(f"Not ready after {patience:.0f} s: {answer}") from None


async def stop(process: Process, by: signal.Signals, patience: float) -> bool:
    """Sends the signal `by`, and kills after `patience` seconds. Returns True when no kill was needed."""
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
    """Returns the last lines of a log file, for an error message."""
    if not log.exists():
        return ""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 16_384))
        return "\n".join(file.read().decode(errors="replace").splitlines()[-count:])
