"""The role polling: `python -m services.polling`. Until a connection is polled it holds little and does nothing."""

import asyncio
import contextlib
import signal

import structlog
import uvloop

from crm.adapters.kafka.directory import Access
from crm.adapters.telemetry import health, tracing
from crm.adapters.telemetry.logs import configure
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from services.polling.needed import until_polled

logger = structlog.get_logger()


class Role:
    """Idle until there is a connection to poll."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.keys = SecretKeys.of(settings)
        self.access = Access(self.keys)
        self.polling: health.Ready | None = None  # what it lacks once it polls

    def missing(self) -> str | None:
        return self.access.missing() or (self.polling() if self.polling else None)

    async def run(self) -> None:
        await self.access.start(self.settings.kafka_bootstrap)
        logger.info("polling is idle until a connection is polled")
        await until_polled(self.access)
        from services.polling import at_work  # not before it is needed: connectors and HTTP take most of the memory

        await at_work.run(self.settings, self.keys, self.access, self.set_missing)

    def set_missing(self, missing: health.Ready) -> None:
        self.polling = missing


async def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT."""
    role = Role(settings)
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    checks = asyncio.create_task(health.serve(settings.health_port, role.missing, settings.host))
    running = asyncio.create_task(role.run())
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait([running, stopped], return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        running.result()
    for task in (running, checks, stopped):
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await role.access.stop()
    logger.info("polling stopped")


if __name__ == "__main__":
    settings = Settings.read()
    configure(settings, "polling")
    tracing.start("polling")
    uvloop.run(main(settings))
    tracing.stop()
