"""A letter handed to a mail server: what it says to each step, and a line that breaks."""

import asyncio
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace as with_
from typing import Any

import pytest
from msgspec.structs import replace

from crm.connector_send import Accepted, Failed, Later, Outcome, Uncertain
from crm.scalars import Micros
from crm.vendor_override import variable
from services.connectors import CONNECTORS
from services.outbound.replies.vendor import SendingVendors
from tests.support.scenarios import NOON
from tests.support.sent_samples import sent_samples

SAMPLE = next(sample for sample in sent_samples() if sample.id == "imap/reply")
ID = f"{SAMPLE.sending.reply.message_id}.reply@example.com"


class MailServer(socketserver.ThreadingTCPServer):
    """Answers 250 to everything but what `says` has for a verb; "" breaks the line off. `letters`: what it took."""

    allow_reuse_address = daemon_threads = True

    def __init__(self, says: dict[str, str]) -> None:
        super().__init__(("127.0.0.1", 0), Session)
        self.says, self.letters = says, list[bytes]()
        self.verbs: list[str] = []


class Session(socketserver.StreamRequestHandler):
    """One connection."""

    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 mail.example.com\r\n")
        while line := self.rfile.readline():
            verb = line.split()[0].decode().upper()
            self.server.verbs.append(verb)
            if verb == "DATA":
                self.wfile.write(b"354 Go on\r\n")
                self.server.letters.append(self.letter())
            said = self.server.says.get(verb, "250 Ok")
            if not said:
                return
            self.wfile.write(f"{said}\r\n".encode())

    def letter(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line)
        return b"".join(lines)


@contextmanager
def mail_server(says: dict[str, str]) -> Iterator[MailServer]:
    with MailServer(says) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()


def sent(address: Any) -> Outcome:
    async def run() -> Outcome:
        vendors = SendingVendors(lambda: Micros(NOON), {variable("imap"): f"smtp://127.0.0.1:{address[1]}"}, seconds=20)
        try:
            connection = without_password(SAMPLE.sending.connection)
            return (await vendors.call(CONNECTORS["imap"], replace(SAMPLE.sending, connection=connection))).outcome
        finally:
            await vendors.close()

    return asyncio.run(run())


def without_password(connection: Any) -> Any:
    """A server without TLS offers no log-in."""
    return with_(connection, secret="")


@pytest.mark.parametrize(
    ("says", "outcome", "letters"),
    [
        ({}, Accepted(ID), 1),
        ({"RCPT": "550 5.1.1 User unknown"}, Failed("550 5.1.1 User unknown"), 0),
        ({"RCPT": "451 4.7.1 Greylisted"}, Later("451 4.7.1 Greylisted", 300.0), 0),
        ({"DATA": "552 5.3.4 Too large"}, Failed("552 5.3.4 Too large"), 1),
        ({"DATA": "421 4.3.2 Going down"}, Later("421 4.3.2 Going down", 300.0), 1),
    ],
)
def test_what_the_server_says_is_the_outcome(says: dict[str, str], outcome: Outcome, letters: int) -> None:
    with mail_server(says) as server:
        assert sent(server.server_address) == outcome
        assert len(server.letters) == letters
        assert all(f"Message-ID: <{ID}>\r\n".encode() in letter for letter in server.letters)


def test_a_line_that_breaks_off_after_the_letter_leaves_a_doubt() -> None:
    with mail_server({"DATA": ""}) as server:
        assert isinstance(sent(server.server_address), Uncertain)
        assert len(server.letters) == 1


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "RCPT"])
def test_a_line_that_breaks_off_before_it_has_sent_nothing(verb: str) -> None:
    with mail_server({verb: ""}) as server:
        assert isinstance(sent(server.server_address), Later)
        assert server.letters == []


def test_a_server_that_is_away_is_called_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = listener.getsockname()
    assert isinstance(sent(address), Later)
