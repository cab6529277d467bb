"""Fetches a file once: what its reference leads to is stored, or a link with the reason stays."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable

import structlog
from msgspec.structs import replace

from crm.adapters.attachment_store import AttachmentStore
from crm.adapters.safe_http import NotReached
from crm.attachments import StoredLink, Wanted, media_type_of, wrong_type
from crm.log import Clock
from crm.scalars import Micros
from services.attachments.sources import Sources

MINUTE = 60_000_000  # microseconds
DELAYS = (1, 4, 16, 64, 256, 1_024)  # minutes until the next try; then it stays a link
AT_ONCE = 4  # files, each in memory
OnStored = Callable[[Wanted, StoredLink], Awaitable[None]]
logger = structlog.get_logger()


class Fetching:
    """Fetches into a store. Two that fetch the same file store it once."""

    def __init__(self, store: AttachmentStore, sources: Sources, clock: Clock, stored: OnStored | None = None) -> None:
        """`stored` gets each file of an event once it is stored, perhaps again after a restart."""
        self.store, self.sources, self.clock, self.stored = store, sources, clock, stored
        self.turns = asyncio.Semaphore(AT_ONCE)

    async def fetch_all(self, wanted: Iterable[Wanted]) -> None:
        """Returns when each is stored, stays a link or waits for another try. Raises what the store raises."""
        by_ref = {(one.workspace, one.attachment.ref): one for one in wanted}
        async with asyncio.TaskGroup() as group:
            for one in by_ref.values():
                group.create_task(self.fetch_new(one))

    async def fetch_new(self, wanted: Wanted) -> None:
        workspace, ref = wanted.workspace, wanted.attachment.ref
        async with self.turns:
            known = await self.store.link(workspace, ref)
            if known is None and not await self.store.is_waiting(workspace, ref):
                await self.fetch(wanted)
            elif known and self.stored:  # of a large mail, or before a restart
                await self.stored(wanted, known)

    async def fetch_waiting(self) -> int:
        """Tries again what is due and returns how many there were."""
        due = [one async for one in self.store.waiting() if one.at <= self.clock()]
        for one in due:
            async with self.turns:
                await self.fetch(one)
        return len(due)

    async def fetch(self, wanted: Wanted) -> None:
        workspace, attachment = wanted.workspace, wanted.attachment
        try:
            content = await self.sources.content(wanted)
            if why := wrong_type(attachment, content):
                raise NotReached(why)
        except NotReached as reason:
            await self.failed(wanted, reason)
            return
        sha256, media_type = hashlib.sha256(content).hexdigest(), media_type_of(content)
        link = StoredLink(attachment.ref, sha256, media_type, len(content), attachment.name)
        await self.store.keep(workspace, content, link)
        logger.info("stored a file", workspace=workspace, sha256=sha256, size=link.size)
        if self.stored:
            await self.stored(wanted, link)

    async def failed(self, wanted: Wanted, reason: NotReached) -> None:
        if reason.again and wanted.tries < len(DELAYS):
            at = Micros(self.clock() + DELAYS[wanted.tries] * MINUTE)
            await self.store.wait(replace(wanted, tries=wanted.tries + 1, at=at))
            return
        logger.info("a file stays a link", workspace=wanted.workspace, why=str(reason))
        file = wanted.attachment
        await self.store.settle(wanted.workspace, StoredLink(file.ref, name=file.name, reason=str(reason)))
