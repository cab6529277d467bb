"""IDLE (RFC 2177): a mail server says by itself that a folder has changed. The event loop waits for it at the socket.

What the server says is not read, only noticed: the account's turn comes at once, ends the wait and asks. A turn comes
on the clock too, so a wait never lasts the 29 minutes after which servers end it.
"""

import asyncio
import ssl
from collections.abc import Callable
from io import BufferedReader
from typing import cast

import structlog
from imap_tools import BaseMailBox

from crm.connector_poll import SECOND
from crm.log import Clock

SPACING = 2  # seconds from the end of a turn to the next: servers say more than that there are new mails
FREE = 1  # times that a server may end a wait before a pause
FIRST_PAUSE, LAST_PAUSE = 120, 3_600  # seconds, doubling, in which the server is asked on the clock alone
logger = structlog.get_logger()


class Idle:
    """One wait. `begin` and `end` block and run in threads, the rest in the event loop."""

    def __init__(
        self, mailbox: BaseMailBox, loop: asyncio.AbstractEventLoop, clock: Clock, wake: Callable[[int], None]
    ) -> None:
        self.mailbox, self.loop, self.wake = mailbox, loop, wake
        self.earliest = clock() + SPACING * SECOND
        self.socket = -1  # while the loop waits at it
        self.said = False

    def begin(self) -> None:
        self.mailbox.idle.start()  # type: ignore[no-untyped-call]  # imap-tools
        self.said = has_more(self.mailbox)

    def wait(self) -> None:
        if self.said:
            self.wake(self.earliest)
            return
        self.socket = self.mailbox.client.sock.fileno()
        if self.socket >= 0:  # or it was closed meanwhile
            self.loop.add_reader(self.socket, self.notice)

    def notice(self) -> None:
        self.stop_waiting()
        self.wake(self.earliest)

    def stop_waiting(self) -> None:
        """Before the socket is read by somebody else, or closed."""
        if self.socket >= 0:
            self.loop.remove_reader(self.socket)
            self.socket = -1

    def end(self) -> None:
        self.mailbox.idle.stop()  # type: ignore[no-untyped-call]  # imap-tools


def has_more(mailbox: BaseMailBox) -> bool:
    """Returns whether the server said more than was read. Of that the socket shows nothing: it is in a buffer."""
    socket = mailbox.client.sock
    seconds = socket.gettimeout()
    socket.setblocking(False)
    try:
        return bool(cast(BufferedReader, mailbox.client.file).peek(1))
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    finally:
        socket.settimeout(seconds)


class Cuts:
    """Which servers end a wait instead of letting it be ended, as some networks do to connections that are quiet."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.counts: dict[str, tuple[int, int]] = {}  # by connection: in a row, and until when it is not tried again

    def is_pausing(self, id: str) -> bool:
        return self.clock() < self.counts.get(id, (0, 0))[1]

    def add(self, id: str, why: str) -> None:
        count = self.counts.get(id, (0, 0))[0] + 1
        pause = min(FIRST_PAUSE << min(count - FREE - 1, 10), LAST_PAUSE) if count > FREE else 0
        self.counts[id] = count, self.clock() + pause * SECOND
        logger.info("a mail server ended the wait for new mails", connection=id, pause_s=pause, why=why)

    def forget(self, id: str) -> None:
        self.counts.pop(id, None)
