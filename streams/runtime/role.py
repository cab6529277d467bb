"""How a stream role starts and stops: settings, logs, health, signals."""

import asyncio
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


class Role(Protocol):
    """What runs until it is told to stop."""

    def missing(self) -> str | None:
        """What keeps it from being ready, in words; None when it is."""

    async def run(self) -> None:
        """Until cancelled; raises what only a new start can mend."""


def run(name: str, make: Callable[[Settings], Role]) -> None:
    """Exits 0 when told to stop, 1 when it cannot go on: the supervisor starts it again."""
    settings = Settings.read()
    logs.configure(settings, name)
    tracing.start(name)
    sys.setswitchinterval(0.0002)  # Faust's consumer has a thread of its own: 5 ms of waiting for it show in each batch
    uvloop.run(main(make, settings))


async def main(make: Callable[[Settings], Role], settings: Settings) -> NoReturn:
    role = make(settings)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.create_task(role.run())
    serving = asyncio.create_task(health.serve(settings.health_port, role.missing, settings.host))
    await asyncio.wait([work, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    failed = work.exception() if work.done() else None
    if failed:
        log.error("cannot go on", error=repr(failed), exc_info=failed)
    for task in (work, serving):
        task.cancel()
    await asyncio.wait([work, serving], timeout=6)
    tracing.stop()
    # Faust's consumer thread may hang on a broker that is away, and the loop's own end waits for every task: it once
    # took a minute. All effects are in Postgres.
    os._exit(1 if failed else 0)
