"""imaplib's client to one address of a host, whose socket can be cut off while a thread connects or waits at it."""

import contextlib
import imaplib
import socket
import ssl
from functools import cache
from urllib.parse import SplitResult

from imap_tools import BaseMailBox

PORT = 993
MAX_ANSWER = 16_000_000  # bytes of everything that a server says to one request


class Wire:
    """A connection's socket, from before anything is said over it. `left`: bytes that may still come for a request."""

    def __init__(self) -> None:
        self.socket: socket.socket | None = None
        self.is_cut = False
        self.left = MAX_ANSWER

    def made(self, made: socket.socket) -> None:
        """Raises what a cut connection raises, where it was cut before there was a socket."""
        self.socket = made
        if self.is_cut:
            made.close()
            raise imaplib.IMAP4.abort("it was given up while it was made")

    def cut(self) -> None:
        """Ends it at once, also for a thread that waits at it: imaplib's `shutdown` would wait for that thread."""
        self.is_cut = True
        if self.socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)  # TLS must not be taken from under the thread

    def count(self, size: int) -> None:
        self.left -= size
        if self.left < 0:
            raise imaplib.IMAP4.abort(f"an answer of more than {MAX_ANSWER} bytes is too long")


class MailBox(BaseMailBox):
    """A mailbox over a connection that was made elsewhere."""

    def __init__(self, client: imaplib.IMAP4) -> None:
        self.made = client
        super().__init__()

    def _get_mailbox_client(self) -> imaplib.IMAP4:
        return self.made


class Client(imaplib.IMAP4):
    """IMAP to one address of a host, so that its name is looked up once. TLS unless the scheme is imap."""

    def __init__(self, base: SplitResult, address: str, seconds: float, wire: Wire) -> None:
        self.base, self.address, self.wire = base, address, wire
        super().__init__(base.hostname or "", base.port or PORT, seconds)

    def _create_socket(self, timeout: float | None) -> socket.socket:
        plain = socket.create_connection((self.address, self.port), timeout)
        self.wire.made(plain)
        if self.base.scheme == "imap":
            return plain
        made = tls().wrap_socket(plain, server_hostname=self.host, do_handshake_on_connect=False)
        try:
            self.wire.made(made)
            made.do_handshake()
        except BaseException:
            made.close()
            raise
        return made

    def read(self, size: int) -> bytes:
        self.wire.count(size)
        return super().read(size)

    def readline(self) -> bytes:
        line = super().readline()
        self.wire.count(len(line))
        return line


@cache
def tls() -> ssl.SSLContext:
    """Returns what all connections share: it holds every authority's certificate."""
    return ssl.create_default_context()
