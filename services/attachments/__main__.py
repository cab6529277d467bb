"""The role attachments: `python -m services.attachments`. Without CRM_ATTACHMENTS it is idle, and files stay links."""

import asyncio
import contextlib
import signal

import structlog
import uvloop

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import SafeHttp
from crm.adapters.telemetry import health, tracing
from crm.adapters.telemetry.logs import configure
from crm.envelope import now
from crm.settings import Settings
from services.attachments.fetching import Fetching
from services.attachments.journal_files import JournalFiles

TRY_SECONDS = 30.0  # between two looks at what waits
logger = structlog.get_logger()


async def main(settings: Settings) -> None:
    """Runs until SIGTERM or SIGINT."""
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    async with SafeHttp() as http:
        tasks = start(settings, http)
        await stopping.wait()
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
    logger.info("attachments stopped")


def start(settings: Settings, http: SafeHttp) -> list[asyncio.Task[None]]:
    if not settings.attachments:
        logger.info("CRM_ATTACHMENTS names no place for files: they stay links")
        return [asyncio.create_task(health.serve(settings.health_port, lambda: None, settings.host))]
    store = AttachmentStore.open(settings.attachments)
    fetching = Fetching(store, http, now)
    journal = JournalFiles(settings.kafka_bootstrap, store, fetching)
    return [
        asyncio.create_task(health.serve(settings.health_port, journal.missing, settings.host)),
        asyncio.create_task(journal.run()),
        asyncio.create_task(try_again(fetching)),
    ]


async def try_again(fetching: Fetching) -> None:
    while True:
        try:
            await fetching.fetch_waiting()
        except Exception as error:
            logger.warning("the store cannot be read; trying again", error=repr(error))
        await asyncio.sleep(TRY_SECONDS)


if __name__ == "__main__":
    settings = Settings.read()
    configure(settings, "attachments")
    tracing.start("attachments")
    uvloop.run(main(settings))
    tracing.stop()
