"""Receives committed changes from Postgres: one LISTEN connection per process.

Postgres drops notifications while nobody listens; the journal keeps everything. Each notification of the project role
carries the journal positions of its transaction, so after a reconnect it is known which range of the journal holds the
changes that were missed.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from uuid import uuid4

import psycopg
import structlog

from api.live.journal import Journal
from api.live.subscriptions.hub import Hub
from api.live.subscriptions.progress import Progress, read_progress
from crm.adapters.postgres.listener import Listener
from crm.adapters.postgres.outbox import RINGS
from crm.adapters.postgres.silence import NOTICED

log = structlog.get_logger()
CHANNEL = "changes"
LISTENER = "potik api changes"  # as Postgres shows the connection
RETRY_SECONDS = 0.2
MARK_SECONDS = 1.0  # between two of our own notifications
SILENCE = 5.0  # seconds without our own notification after which the connection counts as dead


async def no_screens(_connection: psycopg.AsyncConnection, _payload: str) -> None: ...


class Changes:
    """Passes notifications on to the hub, and those of calls that begin to ring to `on_rings`."""

    on_rings: Callable[[psycopg.AsyncConnection, str], Awaitable[None]] = staticmethod(no_screens)

    def __init__(self, dsn: str, journal: Journal | None = None) -> None:
        self.dsn = dsn
        self.hub = Hub(journal or Journal(""))
        self.listening = asyncio.Event()

    @property
    def journal(self) -> Journal:
        return self.hub.journal

    async def run(self) -> None:
        """Listens until cancelled, and again as soon as Postgres is back."""
        try:
            while True:
                try:
                    await self.listen()
                except (psycopg.Error, OSError) as error:
                    log.warning("not listening to Postgres; trying again", error=type(error).__name__)
                self.listening.clear()
                await asyncio.sleep(RETRY_SECONDS)
        finally:
            self.hub.close()

    async def listen(self) -> None:
        """Listens on one connection.

        Postgres delivers notifications in commit order, so when our own mark arrives, everything committed before it
        has arrived too.
        """
        mark = f"mark_{uuid4().hex}"
        connection = await psycopg.AsyncConnection.connect(
            self.dsn,
            autocommit=True,
            options="-c synchronous_commit=off",  # what it writes are marks
            application_name=LISTENER,
            **NOTICED,
        )
        async with connection:
            listener = await Listener(connection).listen(CHANNEL, RINGS, mark)
            self.hub.resync(await read_progress(connection))
            self.listening.set()
            marked: Progress | None = None
            sent = 0.0
            while True:
                left = sent + MARK_SECONDS - time.monotonic()
                if marked is None and left <= 0:
                    async with asyncio.timeout(SILENCE):
                        marked, sent = await read_progress(connection), time.monotonic()
                        await connection.execute("SELECT pg_notify(%s, '')", [mark])
                for notification in await listener.wait(MARK_SECONDS if marked else left):
                    if notification.channel == CHANNEL:
                        self.hub.take(notification.payload)
                    elif notification.channel == RINGS:
                        await self.on_rings(connection, notification.payload)
                    elif marked:
                        self.hub.advance(marked)
                        marked = None
                if marked and time.monotonic() - sent > SILENCE:
                    raise TimeoutError("Postgres accepted the mark but did not deliver it")
