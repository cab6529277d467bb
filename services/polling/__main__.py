"""The role polling: `python -m services.polling`. Until a connection is polled it holds little and does nothing."""

import structlog

from crm.adapters.kafka.directory import Access
from crm.adapters.telemetry import health
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from services.polling.needed import until_polled
from streams.runtime.role import run

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


if __name__ == "__main__":
    run("polling", Role)
