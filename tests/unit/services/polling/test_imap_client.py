"""A server that answers slowly, or without end, takes no thread and no event loop for longer than a request may."""

import asyncio
import imaplib
import socket
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from crm.connector_catalogue import catalogue
from crm.connector_poll import PollFailed
from crm.mailbox_asks import fetch
from services.connectors.imap.poll import POLL
from services.polling.account import Account, Pace, new_state
from services.polling.imap_client import MAX_ANSWER, Client, MailBox, Wire
from services.polling.mailbox import Mailboxes, Session
from tests.support.polling import NOW, FakeClock, connection_of, connector_of

BASE = urlsplit("imap://shop@imap.example.com")


def account() -> Account:
    connection = connection_of(1, "key", "acme", host="imap.example.com", user="shop")
    return Account(connection, connector_of(POLL), POLL, Pace(), new_state(connection, FakeClock()()), due=NOW)


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("imap.example.com", True),
        ("imap.example.com:1993", True),
        ("imap.example.com:65535", True),
        ("imap.example.com:65536", False),
        ("imap.example.com:0", False),
        ("imap.example.com:99999", False),
    ],
)
def test_a_port_is_one_that_there_is(host: str, fits: bool) -> None:
    (setting,) = [one for one in catalogue()["imap"].settings if one.name == "host"]
    assert setting.fits(host) is fits


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """The other end of what a client connects to."""
    ours, theirs = socket.socketpair()
    ours.settimeout(5.0)
    monkeypatch.setattr(socket, "create_connection", lambda *_: ours)
    with ours, theirs:
        yield theirs


def in_thread(work: Any) -> tuple[threading.Thread, list[Any]]:
    said: list[Any] = []

    def run() -> None:
        try:
            said.append(work())
        except Exception as error:
            said.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, said


def test_closing_does_not_wait_for_the_thread_that_reads(server: socket.socket) -> None:
    """The event loop was stopped until the server's next bytes, or for good where it sends some now and then."""
    wire, client, reads = Wire(), Client.__new__(Client), threading.Event()
    client.wire, client.sock = wire, socket.create_connection(("", 0))
    client.file = client.sock.makefile("rb")
    wire.made(client.sock)
    mailbox = MailBox.__new__(MailBox)
    mailbox.client = client
    server.sendall(b"* OK\r\n* and")

    def read() -> bytes:
        client.readline()
        reads.set()
        return client.readline()

    thread, said = in_thread(read)
    reads.wait()
    Session(account(), mailbox, wire).close()
    thread.join()
    assert not isinstance(said[0], TimeoutError)


def test_a_session_is_cut_off_before_it_is_closed() -> None:
    wire, cut = Wire(), list[bool]()

    class Quiet(imaplib.IMAP4):
        def __init__(self) -> None:
            pass

        def shutdown(self) -> None:
            cut.append(wire.is_cut)

    mailbox = MailBox.__new__(MailBox)
    mailbox.client = Quiet()
    Session(account(), mailbox, wire).close()
    assert cut == [True]


def test_a_server_that_never_greets_holds_no_thread() -> None:
    """Such a connection was not known yet, so nothing ended it: 32 of them stopped all mailboxes."""

    def connect(base: Any, address: str, seconds: float, wire: Wire) -> imaplib.IMAP4:
        wire.made(near)
        assert near.recv(1) == b""  # nothing comes until it is cut
        raise imaplib.IMAP4.abort("cut")

    async def test() -> None:
        mailboxes = Mailboxes(FakeClock(), 0.01, connect)
        with pytest.raises(PollFailed, match="did not answer in full"):
            await mailboxes.call(account(), fetch("INBOX", 1, 1, 10), BASE.geturl(), "192.0.2.1")
        mailboxes.threads.shutdown(wait=True)

    near, far = socket.socketpair()
    with near, far:
        asyncio.run(test())


def test_a_socket_that_is_made_too_late_is_closed(server: socket.socket) -> None:
    wire = Wire()
    wire.cut()
    with pytest.raises(imaplib.IMAP4.abort, match="given up"):
        Client(BASE, "192.0.2.1", 5.0, wire)
    assert server.recv(1) == b""


def test_answers_without_end_are_not_read(server: socket.socket) -> None:
    """A limit of one literal is none: a server may send as many as it likes."""
    client = Client.__new__(Client)
    client.wire = Wire()
    with pytest.raises(imaplib.IMAP4.abort, match="too long"):
        client.read(MAX_ANSWER + 1)
    client.wire.left, client.file = 10, socket.create_connection(("", 0)).makefile("rb")
    server.sendall(b"* 1 EXISTS\r\n")
    with pytest.raises(imaplib.IMAP4.abort, match="too long"):
        client.readline()
    client.file.close()
