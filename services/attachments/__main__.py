"""The role attachments: `python -m services.attachments`. Without CRM_ATTACHMENTS it is idle, and files stay links."""

import asyncio

import structlog

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.kafka.directory import Access
from crm.adapters.safe_http import SafeHttp
from crm.envelope import now
from crm.secret_keys import SecretKeys
from crm.settings import Settings
from services.attachments.facts import mailed_imports, sources
from services.attachments.fetching import Fetching
from services.attachments.journal_files import JournalFiles
from streams.runtime.role import run

TRY_SECONDS = 30.0  # between two looks at what waits
logger = structlog.get_logger()


class Role:
    """Fetches what the journal names, and what could not be fetched before."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.journal: JournalFiles | None = None

    def missing(self) -> str | None:
        if not self.settings.attachments:
            return None
        return self.journal.missing() if self.journal else "The place for files has not been opened yet."

    async def run(self) -> None:
        if not self.settings.attachments:
            logger.info("CRM_ATTACHMENTS names no place for files: they stay links")
            await asyncio.Event().wait()
        store, access = AttachmentStore.open(self.settings.attachments), Access(SecretKeys.of(self.settings))
        async with SafeHttp() as http, asyncio.TaskGroup() as tasks:
            mailed = mailed_imports(self.settings, access, store)
            fetching = Fetching(store, sources(self.settings, access, http), now, mailed.stored if mailed else None)
            self.journal = JournalFiles(self.settings.kafka_bootstrap, store, fetching)
            tasks.create_task(follow(self.settings, access, self.journal))
            tasks.create_task(try_again(fetching))


async def follow(settings: Settings, access: Access, journal: JournalFiles) -> None:
    """Not before the connections are known: their files are asked for with their keys."""
    try:
        await access.start(settings.kafka_bootstrap)
        await journal.run()
    finally:
        await access.stop()


async def try_again(fetching: Fetching) -> None:
    while True:
        try:
            await fetching.fetch_waiting()
        except Exception as error:
            logger.warning("the store cannot be read; trying again", error=repr(error))
        await asyncio.sleep(TRY_SECONDS)


if __name__ == "__main__":
    run("attachments", Role)
