"""Deliveries larger than a record, of connectors that say how files are found in them (`Connector.parts`): mails.

Their files are stored before anything is written to Kafka. Where no place for files is set, they are left out.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from typing import Protocol

import structlog

from crm.attachments import DIGEST, StoredLink, media_type_of
from crm.claim_check import CheckedIn, Repack, check_in, files_in
from crm.connector import Connection, Connector, Delivery
from crm.errors import NotYet
from crm.scalars import Id
from services.intake.records import MAX_BODY
from services.intake.reply import Stop, later

AT_ONCE = 2  # bodies: each takes several times its bytes of memory while it is read
READ_SECONDS, TURN_SECONDS = 60.0, 10.0  # until a body has come, and until it may
WAIT = "Too many large deliveries at once. Nothing was kept. Send it again."
AWAY = "Its files cannot be stored at the moment. Nothing was kept. Send it again."
logger = structlog.get_logger()


class FileStore(Protocol):
    """Where files are stored by their content: crm/adapters/attachment_store.py."""

    async def keep(self, workspace: Id, content: bytes, link: StoredLink) -> None: ...


OpenStore = Callable[[], FileStore]


class LargeDeliveries:
    """Takes bodies of up to `limit` bytes, two at a time. `store` opens the place for files; None: there is none."""

    def __init__(self, store: OpenStore | None, limit: int) -> None:
        self.store, self.limit = store, limit
        self.turns = asyncio.Semaphore(AT_ONCE)

    def expects(self, connector: Connector, headers: Mapping[str, str], usual: int) -> bool:
        """Whether more may come than a usual delivery has: the client says so, or does not say how much."""
        if connector.parts is None:
            return False
        length = headers.get("content-length", "")
        is_usual = length.isdecimal() and len(length) < 18 and int(length) <= usual
        return not is_usual or "content-encoding" in headers

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Raises Stop when it takes too long until it is this delivery's turn."""
        try:
            async with asyncio.timeout(TURN_SECONDS):
                await self.turns.acquire()
        except TimeoutError:
            raise Stop(later(WAIT)) from None
        try:
            yield
        finally:
            self.turns.release()

    async def receive(self, connector: Connector, delivery: Delivery, connection: Connection) -> CheckedIn:
        """Returns an authentic delivery and its facts, with its files stored. Raises Refused, and NotYet."""
        assert connector.parts
        made = await asyncio.to_thread(self.checked_in, connector.parts, connector, delivery, connection)
        if self.store:
            try:
                await self.keep(self.store(), connection.workspace, made)
            except Exception as error:
                logger.warning("the files of a delivery cannot be stored", error=repr(error))
                raise NotYet(AWAY) from None
        elif made.contents:
            logger.warning("files were left out: CRM_ATTACHMENTS names no place for them", connection=connection.id)
        return made

    def checked_in(self, repack: Repack, connector: Connector, delivery: Delivery, connection: Connection) -> CheckedIn:
        connector.verify(delivery, connection)
        read = partial(connector.read, connection=connection)
        return check_in(repack, read, delivery, MAX_BODY, self.store is not None)

    async def keep(self, store: FileStore, workspace: Id, made: CheckedIn) -> None:
        names = {file.ref: file.name for file in files_in(made.facts)}
        for ref, content in made.contents.items():
            media, name = media_type_of(content), names.get(ref, "delivery")
            await store.keep(workspace, content, StoredLink(ref, ref.removeprefix(DIGEST), media, len(content), name))
