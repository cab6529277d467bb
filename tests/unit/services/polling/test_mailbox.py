"""A mailbox that is asked by IMAP: each mail once, whatever the server and the connection do in between."""

import asyncio
import imaplib
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from functools import wraps
from typing import Any

import pytest

from crm.facts import DeliveryQuarantined, MailReported
from crm.shared import Attachment
from services.connectors.imap.poll import POLL
from services.polling.mailbox import Mailboxes
from tests.support.mail_server import MailServer, MemoryClient
from tests.support.polling import Rig, connection_of


def mail(number: int, to: str = "shop@example.com", sender: str = "Olena <olena@example.net>") -> bytes:
    head = f"From: {sender}\nTo: {to}\nSubject: Table {number}\nMessage-ID: <{number}@example.net>"
    return f"{head}\nDate: Mon, 5 Oct 2026 12:00:00 +0300\n\nIs table {number} still there?\n".replace(
        "\n", "\r\n"
    ).encode()


def nobody(*_: Any) -> Any:
    raise AssertionError("no vendor is asked by HTTP")


def awaited(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **named: Any) -> None:
        asyncio.run(test(*args, **named))

    return run


class Mailbox:
    """The role with one mailbox. `restart`: as after a crash."""

    def __init__(self, server: MailServer, **settings: str) -> None:
        self.server, self.clients = server, list[MemoryClient]()
        settings = {"host": "imap.example.com", "user": "shop@example.com", **settings}
        self.rig = Rig(POLL, nobody, connection_of(1, "key", "acme", **settings), max_body=1_000_000)
        self.connect()

    def connect(self) -> None:
        self.rig.vendors.environment = {"CRM_VENDOR_URL_ACME": "imap://mail.example"}
        self.rig.vendors.mailboxes = Mailboxes(self.rig.clock, 30.0, self.client)

    def client(self, *_: Any) -> imaplib.IMAP4:
        self.clients.append(MemoryClient(self.server))
        return self.clients[-1]

    async def turn(self) -> None:
        await self.rig.forward(61)

    async def restart(self) -> None:
        await self.rig.vendors.close()
        self.rig.start()
        self.connect()

    @property
    def mails(self) -> list[str]:
        return [fact.subject for fact in self.rig.facts if isinstance(fact, MailReported)]


@awaited
async def test_each_mail_comes_in_once_and_what_is_new_in_the_next_turn() -> None:
    server = MailServer({"INBOX": {3: mail(3), 7: mail(7)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    assert mailbox.mails == ["Table 3", "Table 7"]
    fact = mailbox.rig.facts[0]
    assert (fact.direction, fact.customer, fact.text) == ("in", "olena@example.net", "Is table 3 still there?")
    assert fact.raw.body == mail(3)
    server.folders["INBOX"][9] = mail(9)
    await mailbox.turn()
    await mailbox.turn()
    assert mailbox.mails == ["Table 3", "Table 7", "Table 9"]
    assert mailbox.rig.state.cursor == '{"INBOX":[1,9]}'
    assert server.logins == 1
    assert not any(command.startswith(("SELECT", "UID STORE")) or "BODY[" in command for command in server.commands)


@awaited
async def test_after_a_crash_it_goes_on_where_it_was() -> None:
    server = MailServer({"INBOX": {3: mail(3)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    await mailbox.restart()
    server.commands.clear()
    await mailbox.turn()
    assert not any(command.startswith("UID FETCH") for command in server.commands)
    assert mailbox.mails == ["Table 3"]


@awaited
async def test_another_uidvalidity_is_caught_up_without_loss_or_repeat() -> None:
    server = MailServer({"INBOX": {3: mail(3), 7: mail(7)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    await mailbox.restart()  # so that nothing is remembered: what repeats has the same id
    server.validity, server.folders["INBOX"] = 2, {1: mail(7), 2: mail(3), 4: mail(8)}
    await mailbox.turn()
    facts = mailbox.rig.facts
    assert {fact.subject for fact in facts} == {"Table 3", "Table 7", "Table 8"}
    assert len({fact.meta.id for fact in facts}) == 3
    assert mailbox.rig.state.cursor == '{"INBOX":[2,4]}'


@awaited
async def test_the_folder_of_what_was_sent_is_outgoing() -> None:
    sent = mail(5, to="olena@example.net", sender="shop@example.com")
    mailbox = Mailbox(MailServer({"INBOX": {3: mail(3)}, "Sent": {1: sent}}), sent="Sent")
    await mailbox.turn()
    assert [(fact.direction, fact.customer) for fact in mailbox.rig.facts] == [
        ("in", "olena@example.net"),
        ("out", "olena@example.net"),
    ]


@awaited
async def test_a_connection_that_the_server_ended_is_made_again() -> None:
    server = MailServer({"INBOX": {3: mail(3)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    mailbox.clients[-1].cut = True
    server.folders["INBOX"][4] = mail(4)
    await mailbox.turn()
    assert (mailbox.mails, mailbox.rig.state.problem, server.logins) == (["Table 3", "Table 4"], "", 2)


@awaited
async def test_a_wrong_password_says_what_to_do_and_is_in_no_sentence(caplog: pytest.LogCaptureFixture) -> None:
    server = MailServer(password="another", refused=b"NO [AUTHENTICATIONFAILED] not key!")
    mailbox = Mailbox(server)
    await mailbox.turn()
    state = mailbox.rig.state
    assert "does not let shop@example.com in" in state.problem and "Give a new one" in state.advice
    assert "not ***!" in state.problem and "key!" not in caplog.text
    assert mailbox.rig.facts == []


@awaited
async def test_a_server_that_is_busy_does_not_ask_for_another_password() -> None:
    mailbox = Mailbox(MailServer(password="another", refused=b"NO [UNAVAILABLE] later"))
    await mailbox.turn()
    assert "later" in mailbox.rig.state.problem and mailbox.rig.state.advice == ""


@awaited
async def test_a_folder_that_is_not_there_is_named() -> None:
    mailbox = Mailbox(MailServer(), folder="Orders")
    await mailbox.turn()
    assert mailbox.rig.state.problem.startswith("The folder Orders cannot be opened")


@awaited
async def test_what_vanished_or_cannot_be_read_holds_up_nothing() -> None:
    server = MailServer({"INBOX": {n: mail(n) for n in range(1, 6)}}, broken={2}, vanished={3})
    mailbox = Mailbox(server)
    await mailbox.turn()
    assert mailbox.mails == ["Table 1", "Table 2", "Table 4", "Table 5"]
    assert [bool(fact.text) for fact in mailbox.rig.facts] == [True, False, True, True]
    assert "or the server cannot read the rest" in mailbox.rig.state.notice


@awaited
async def test_a_mail_of_which_the_server_gives_nothing_is_said_to_be_there() -> None:
    """It was left out as if it had been deleted."""
    mailbox = Mailbox(MailServer({"INBOX": {n: mail(n) for n in range(1, 5)}}, unreadable={2, 3}))
    await mailbox.turn()
    facts = mailbox.rig.facts
    assert mailbox.mails == ["Table 1", "Table 4"]
    assert [fact.raw.body for fact in facts if isinstance(fact, DeliveryQuarantined)] == [b"", b""]
    assert "gives nothing of the mail 3 in the folder INBOX" in mailbox.rig.state.notice
    assert len({fact.meta.id for fact in facts}) == 4


class OddServer(MailServer):
    """Gmail's words for a failure that passes; with them a mail was left out for good, as if it were broken."""

    fails = True

    def answer(self, session: dict[str, str], line: bytes) -> Iterator[bytes]:
        if self.fails and b" UID FETCH 3 " in line:
            yield line.split(b" ")[0] + b" NO System Error (Failure)\r\n"
        else:
            yield from super().answer(session, line)


@awaited
async def test_a_mail_that_the_server_fails_to_give_comes_in_later() -> None:
    server = OddServer({"INBOX": {3: mail(3), 4: mail(4)}})
    mailbox = Mailbox(server)
    await mailbox.rig.forward(1)
    assert mailbox.mails == [] and "does not give the mail 3 now" in mailbox.rig.state.problem
    server.fails = False
    await mailbox.turn()
    assert mailbox.mails == ["Table 3", "Table 4"]


PHOTO = b"\r\n--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=table.jpg\r\n\r\n"


def large(number: int, size: int) -> bytes:
    """A mail of that many bytes, nearly all of them in a photo, with another behind it."""
    head, _, text = mail(number).partition(b"\r\n\r\n")
    head += b"\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n" + text + PHOTO
    end = PHOTO + b"0\r\n--b--\r\n"
    return head + b"0" * (size - len(head) - len(end)) + end


@pytest.mark.parametrize("size", [1_001_000, 1_900_000, 3_000_000, 40_000_000])
@awaited
async def test_of_a_mail_above_the_limit_the_beginning_comes_in(size: int) -> None:
    """From 1.9 MB on its fact fitted into no record, nor did its quarantine: the mailbox stood there forever."""
    server = MailServer({"INBOX": {3: mail(3), 4: large(4, size), 5: mail(5)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    assert mailbox.mails == ["Table 3", "Table 4", "Table 5"]
    fact, url = mailbox.rig.facts[1], "imap://shop%40example.com@mail.example/INBOX/;UID=4"
    assert fact.text == "Is table 4 still there?" and fact.raw.body == large(4, size)[:1_000_000]
    assert fact.attachments == (
        Attachment("file", "table.jpg", "image/jpeg", 0, url),
        Attachment("mail", "", "message/rfc822", size, url),
    )
    assert f"Of a mail of {size:,} bytes the first 1,000,000 were taken in" in mailbox.rig.state.notice
    assert mailbox.rig.state.cursor == '{"INBOX":[1,5]}'
    assert (mailbox.rig.state.problem, "UID FETCH 4 (UID BODY.PEEK[])" in server.commands) == ("", False)


@awaited
async def test_a_server_that_gives_more_than_it_said_is_cut_off_too() -> None:
    mailbox = Mailbox(MailServer({"INBOX": {4: large(4, 3_000_000), 5: mail(5)}}, sizes={4: 10}))
    await mailbox.turn()
    assert mailbox.mails == ["Table 4", "Table 5"]


@awaited
async def test_a_server_that_names_the_uid_after_the_mail_is_read() -> None:
    mailbox = Mailbox(MailServer({"INBOX": {3: mail(3)}}, uid_last=True))
    await mailbox.turn()
    assert mailbox.mails == ["Table 3"]


@awaited
async def test_what_is_no_mail_is_quarantined_whole() -> None:
    mailbox = Mailbox(MailServer({"INBOX": {3: b"\r\n\r\nnothing", 4: mail(4)}}))
    await mailbox.turn()
    first, second = mailbox.rig.facts
    assert isinstance(first, DeliveryQuarantined) and first.raw.body == b"\r\n\r\nnothing"
    assert second.subject == "Table 4"


@awaited
async def test_uids_with_wide_gaps_are_all_found() -> None:
    mailbox = Mailbox(MailServer({"INBOX": {1: mail(1), 70_000: mail(2), 70_001: mail(3)}}))
    await mailbox.turn()
    assert mailbox.mails == ["Table 1", "Table 2", "Table 3"]


@awaited
async def test_a_changed_password_closes_the_connection_of_the_old_one() -> None:
    server = MailServer({"INBOX": {3: mail(3)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    server.password, rig = "newer", mailbox.rig
    rig.connections = {id: replace(one, secret="newer") for id, one in rig.connections.items()}
    rig.accounts.update(rig.connections, rig.states)
    await mailbox.turn()
    assert (rig.state.problem, server.logins, mailbox.clients[0].cut) == ("", 2, True)


@awaited
async def test_a_connection_that_an_earlier_account_made_late_is_not_used() -> None:
    """The mails of the mailbox that was set before would have come in as those of the new one."""
    server = MailServer({"INBOX": {3: mail(3)}})
    mailbox = Mailbox(server)
    await mailbox.turn()
    session = mailbox.rig.vendors.mailboxes.sessions[connection_of(1).id]
    session.account = replace(session.account)
    await mailbox.turn()
    assert (server.logins, len(mailbox.clients), mailbox.mails) == (2, 2, ["Table 3"])


@awaited
async def test_a_host_in_a_private_network_is_refused() -> None:
    mailbox = Mailbox(MailServer(), host="127.0.0.1")
    mailbox.rig.vendors.environment = {}
    await mailbox.turn()
    assert "is in a private network" in mailbox.rig.state.problem
    assert mailbox.clients == []
