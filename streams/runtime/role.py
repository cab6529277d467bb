"""Starts and stops a stream role: settings, logs, health, signals."""

import asyncio
import gc
import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn, Protocol

import structlog
import uvloop

from crm.adapters.telemetry import health, logs, tracing
from crm.settings import Settings

log = structlog.get_logger()
# Objects of a batch that live at once are no garbage. The default of 700 looks for cycles dozens of times a batch.
COLLECT_AFTER = 50_000
PATIENCE = 6.0  # seconds that a role which is stopped gets


class Role(Protocol):
    """A long-running service."""

    def missing(self) -> str | None:
        """Returns why it is not ready, or None when it is."""

    async def run(self) -> None:
        """Runs until it is cancelled. Raises the errors that only a restart can solve."""


def run(name: str, make: Callable[[Settings], Role]) -> None:
    """Runs a role. Exits with 0 on SIGINT or SIGTERM, with 1 after an error; the supervisor then restarts it."""
    settings = Settings.read()
    logs.configure(settings, name)
    tracing.start(name)
    sys.setswitchinterval(0.0002)  # Faust's consumer has its own thread: the default 5 ms would delay each batch
    gc.collect()
    gc.freeze()  # what is loaded by now stays
    gc.set_threshold(COLLECT_AFTER)
    uvloop.run(main(make, settings))


async def main(make: Callable[[Settings], Role], settings: Settings) -> NoReturn:
    """Serves health and metrics while the role runs, then ends the process."""
    role = make(settings)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.create_task(role.run())
    serving = asyncio.create_task(health.serve(settings.health_port, role.missing, settings.host))
    await asyncio.wait([work, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    failed = work.exception() if work.done() else None
    if failed:
        log.error("role failed", error=repr(failed), exc_info=failed)
    for task in (work, serving):
        task.cancel()
    await asyncio.wait([work, serving], timeout=PATIENCE)
    tracing.stop()
    # Faust's consumer thread may hang on a broker that is away, and closing the event loop waits for every task: that
    # once took a minute. All effects are in Postgres, so it is safe to exit at once.
    os._exit(1 if failed else 0)
