"""A mailbox that is asked over a real connection: literals, line ends, TLS, IDLE, a server that goes away."""

import asyncio
import socketserver
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from crm.facts import MailReported
from services.connectors.imap.poll import POLL
from services.polling.mailbox import Mailboxes
from tests.support.mail_server import MailServer
from tests.support.polling import Rig, connection_of
from tests.support.timeouts import TIMEOUT

MAIL = b"From: o@example.net\r\nTo: shop@example.com\r\nMessage-ID: <1@example.net>\r\nSubject: Table\r\n\r\nHello\r\n"
SETTINGS = {"host": "imap.example.com", "user": "shop@example.com"}


@contextmanager
def listening(server: MailServer, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Yields the server's address."""

    class Handler(socketserver.StreamRequestHandler):
        disable_nagle_algorithm = True

        def setup(self) -> None:
            if tls:
                self.request = tls.wrap_socket(self.request, server_side=True)
            super().setup()

        def finish(self) -> None:
            super().finish()
            self.request.close()

        def handle(self) -> None:
            session: dict[str, str] = {}
            self.wfile.write(b"* OK ready\r\n")
            for line in self.rfile:
                for answer in server.answer(session, line):
                    if "idle" in session:
                        server.waiting.append(self.connection)
                    self.wfile.write(answer)
                if "idle" not in session and self.connection in server.waiting:
                    server.waiting.remove(self.connection)
                if server.hang_up:
                    server.hang_up = False
                    return

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as listener:
        listener.daemon_threads = True
        threading.Thread(target=listener.serve_forever, daemon=True).start()
        try:
            yield f"{'imaps' if tls else 'imap'}://127.0.0.1:{listener.server_address[1]}"
        finally:
            listener.shutdown()


def certified(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """Returns what a server of 127.0.0.1 speaks TLS with, and what trusts it."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(public, private)
    return server, ssl.create_default_context(cafile=str(public))


def rig_at(address: str, mailboxes: int = 1) -> Rig:
    connections = [connection_of(number, "key", "acme", **SETTINGS) for number in range(1, mailboxes + 1)]
    rig = Rig(POLL, lambda *_: (500, {}, {}), *connections)
    rig.vendors.environment = {"CRM_VENDOR_URL_ACME": address}
    return rig


def mail(number: int) -> bytes:
    return MAIL.replace(b"<1@", b"<%d@" % number)


def mails(rig: Rig) -> list[str]:
    return [fact.mail.partition("@")[0] for fact in rig.facts if isinstance(fact, MailReported)]


async def woken(rig: Rig) -> None:
    """Returns when the server has said something: in real time, the clock of the role does not move."""
    async with asyncio.timeout(TIMEOUT):
        while rig.account.due > rig.clock.at + 2_000_000:
            rig.schedule.changed.clear()
            await rig.schedule.changed.wait()


def test_mails_come_in_over_a_connection_that_is_kept_and_made_again() -> None:
    server = MailServer({"INBOX": {3: MAIL}})

    async def test(address: str) -> None:
        rig = rig_at(address)
        await rig.forward(30)
        assert [fact.raw.body for fact in rig.facts if isinstance(fact, MailReported)] == [MAIL]
        assert rig.facts[0].raw.headers[":url"] == "imap://shop%40example.com@" + address[7:] + "/INBOX/;UID=3"
        server.folders["INBOX"][4] = mail(2)
        server.hang_up = True  # after the next answer
        await rig.forward(120)
        assert mails(rig) == ["1", "2"]
        assert (server.logins, rig.state.problem) == (2, "")
        assert "IDLE" not in server.commands  # which it does not offer
        await rig.vendors.close()

    with listening(server) as address:
        asyncio.run(test(address))


def test_a_server_that_is_away_is_tried_again_later() -> None:
    server = MailServer({"INBOX": {3: MAIL}})

    async def test() -> None:
        with listening(server) as address:
            rig = rig_at(address.rpartition(":")[0] + ":1")
            await rig.forward(1)
            assert "cannot be reached" in rig.state.problem
            rig.vendors.environment = {"CRM_VENDOR_URL_ACME": address}
            await rig.forward(60)
            assert (len(rig.facts), rig.state.problem) == (1, "")
        await rig.vendors.close()

    asyncio.run(test())


@pytest.mark.parametrize("with_tls", [False, True])
def test_a_mail_comes_in_at_once_where_the_server_says_so(
    with_tls: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server, tls = MailServer({"INBOX": {3: MAIL}}, idles=True), None
    if with_tls:
        tls, trusting = certified(tmp_path)
        monkeypatch.setattr("services.polling.imap_client.tls", lambda: trusting)

    async def test(address: str) -> None:
        rig = rig_at(address)
        began = rig.clock.at
        await rig.forward(1)
        for number in range(4, 8):
            assert server.commands[-1] == "IDLE"
            server.arrive("INBOX", number, mail(number))
            await woken(rig)
            await rig.forward(2)
        assert mails(rig) == ["1", "4", "5", "6", "7"]
        assert (rig.clock.at - began) / 1_000_000 == 9  # where the clock alone would have come once a minute
        assert (server.logins, server.commands.count("DONE"), len(rig.schedule.tasks)) == (1, 4, 0)
        await rig.forward(1_800)  # nothing new: each turn ends the wait and begins another
        assert server.commands.count("DONE") == 34 and server.commands[-1] == "IDLE"
        await rig.vendors.close()

    with listening(server, tls) as address:
        asyncio.run(test(address))


def test_what_the_server_says_in_one_packet_with_its_answer_is_noticed() -> None:
    """It lies in a buffer: the socket has nothing more to read."""
    server = MailServer({"INBOX": {3: MAIL}}, idles=True)

    async def test(address: str) -> None:
        rig = rig_at(address)
        server.in_one.append(b"* 2 EXISTS\r\n")
        await rig.forward(1)
        server.folders["INBOX"][4] = mail(4)
        assert rig.account.due < rig.clock.at + 2_000_000
        await rig.forward(2)
        assert mails(rig) == ["1", "4"]
        await rig.vendors.close()

    with listening(server) as address:
        asyncio.run(test(address))


def test_a_server_that_ends_waits_is_polled() -> None:
    """Were it asked again at once, it would be logged in to every two seconds."""
    server = MailServer({"INBOX": {3: MAIL}}, idles=True)

    async def test(address: str) -> None:
        rig = rig_at(address)
        await rig.forward(1)
        for _ in range(2):
            assert server.commands[-1] == "IDLE"
            server.end_waits()
            await woken(rig)
            await rig.forward(3)
        assert server.commands[-1] != "IDLE" and server.logins == 3
        server.folders["INBOX"][4] = mail(4)
        await rig.forward(60)
        assert (mails(rig), rig.state.problem, server.logins) == (["1", "4"], "", 3)
        await rig.forward(121)
        assert server.commands[-1] == "IDLE"  # it is tried again
        await rig.vendors.close()

    with listening(server) as address:
        asyncio.run(test(address))


def test_a_removed_connection_is_closed_while_it_waits() -> None:
    server = MailServer({"INBOX": {3: MAIL}}, idles=True)

    async def test(address: str) -> None:
        rig = rig_at(address)
        await rig.forward(1)
        sessions = rig.vendors.mailboxes.sessions
        socket = next(iter(sessions.values())).mailbox.client.sock
        rig.accounts.update({}, {})
        rig.vendors.drop_gone()
        assert (len(sessions), socket.fileno()) == (0, -1)
        await rig.vendors.close()

    with listening(server) as address:
        asyncio.run(test(address))


def test_only_so_many_connections_stay_open() -> None:
    server = MailServer({"INBOX": {3: MAIL}}, idles=True)

    async def test(address: str) -> None:
        rig = rig_at(address, 3)
        rig.vendors.mailboxes = Mailboxes(rig.clock, 30.0, most=2)
        await rig.forward(130)
        assert (len(rig.vendors.mailboxes.sessions), len(server.waiting)) == (2, 2)
        assert {account.state.complete_at is not None for account in rig.accounts.accounts.values()} == {True}
        await rig.vendors.close()

    with listening(server) as address:
        asyncio.run(test(address))
