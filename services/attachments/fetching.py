"""Fetches a file once: what is at its address is stored, or a link with the reason stays."""

import asyncio
import hashlib
from collections.abc import Iterable

import structlog

from crm.adapters.attachment_store import AttachmentStore, Waiting
from crm.adapters.safe_http import NotReached, SafeHttp
from crm.attachments import StoredLink, media_type_of, wrong_type
from crm.log import Clock
from crm.scalars import Id, Micros
from crm.shared import Attachment

MINUTE = 60_000_000  # microseconds
DELAYS = (1, 4, 16, 64, 256, 1_024)  # minutes until the next try; then it stays a link
AT_ONCE = 4  # files, each in memory
Wanted = tuple[Id, Attachment]  # with its workspace
logger = structlog.get_logger()


class Fetching:
    """Fetches into a store. Two that fetch the same file store it once."""

    def __init__(self, store: AttachmentStore, http: SafeHttp, clock: Clock) -> None:
        self.store, self.http, self.clock = store, http, clock
        self.turns = asyncio.Semaphore(AT_ONCE)

    async def fetch_all(self, wanted: Iterable[Wanted]) -> None:
        """Returns when each is stored, stays a link or waits for another try. Raises what the store raises."""
        by_ref = {(workspace, one.ref): one for workspace, one in wanted}
        async with asyncio.TaskGroup() as group:
            for (workspace, _), one in by_ref.items():
                group.create_task(self.fetch_new(workspace, one))

    async def fetch_new(self, workspace: Id, attachment: Attachment) -> None:
        async with self.turns:
            known = await self.store.link(workspace, attachment.ref)
            if known is None and not await self.store.is_waiting(workspace, attachment.ref):
                await self.fetch(workspace, attachment, 0)

    async def fetch_waiting(self) -> int:
        """Tries again what is due and returns how many there were."""
        due = [one async for one in self.store.waiting() if one.at <= self.clock()]
        for one in due:
            async with self.turns:
                await self.fetch(one.workspace, one.attachment, one.tries)
        return len(due)

    async def fetch(self, workspace: Id, attachment: Attachment, tries: int) -> None:
        try:
            answer = await self.http.fetch(attachment.ref)
            if answer.headers.get("content-encoding", "identity") != "identity":
                raise NotReached(f"It is packed as {answer.headers['content-encoding'][:40]}, which nobody asked for.")
            if why := wrong_type(attachment, answer.body):
                raise NotReached(why)
        except NotReached as reason:
            await self.failed(workspace, attachment, tries, reason)
            return
        sha256, media_type = hashlib.sha256(answer.body).hexdigest(), media_type_of(answer.body)
        link = StoredLink(attachment.ref, sha256, media_type, len(answer.body), attachment.name)
        await self.store.keep(workspace, answer.body, link)
        logger.info("stored a file", workspace=workspace, sha256=sha256, size=link.size)

    async def failed(self, workspace: Id, attachment: Attachment, tries: int, reason: NotReached) -> None:
        if reason.again and tries < len(DELAYS):
            at = Micros(self.clock() + DELAYS[tries] * MINUTE)
            await self.store.wait(Waiting(workspace, attachment, tries + 1, at))
            return
        logger.info("a file stays a link", workspace=workspace, why=str(reason))
        await self.store.settle(workspace, StoredLink(attachment.ref, name=attachment.name, reason=str(reason)))
