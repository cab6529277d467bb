"""Whom a mail is with: the customer's own address, never a mailer's, never one of ours."""

import pytest

from services.connectors.mails.mail import NOBODY
from services.connectors.mails.people import MailSettings, automatic, ours_in, who
from services.connectors.mails.rfc822 import read_mail

OURS = MailSettings(addresses="example.com, boss@gmail.example", mailers="orders@site.example")
OLENA = "From: Olena <olena@example.net>\n"


def found(head: str, is_sent: bool = False) -> tuple[str, str, bool]:
    one = who(read_mail(head.encode() + b"\nText"), ours_in(OURS), is_sent)
    return one.direction, one.customer.address, one.by_mailer


def test_who_may_mail_imports_is_one_of_us() -> None:
    mail = read_mail(b"From: Anna <anna@gmail.example>\nTo: shop@shop.example\n\nText")
    assert (
        who(mail, ours_in(MailSettings(addresses="shop@shop.example", imports="Anna@gmail.example"))).customer == NOBODY
    )


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (OLENA + "To: shop@example.com", ("in", "olena@example.net", False)),
        (OLENA + "Reply-To: olena@firm.example\nTo: shop@example.com", ("in", "olena@example.net", False)),
        ("From: wordpress@site.example\nReply-To: Ivan <ivan@example.net>", ("in", "ivan@example.net", True)),
        ("From: orders@site.example\nReply-To: ivan@example.net", ("in", "ivan@example.net", True)),
        ("From: forms-receipts-noreply@forms.example\nReply-To: ivan@example.net", ("in", "ivan@example.net", True)),
        ("From: info@example.com\nTo: info@example.com\nReply-To: ivan@example.net", ("in", "ivan@example.net", True)),
        ("From: no-reply@bank.example\nTo: shop@example.com", ("in", "", False)),
        ("From: noreply@site.example\nReply-To: no.reply@site.example", ("in", "", False)),
        ("From: noreply@site.example\nReply-To: shop@example.com", ("in", "", False)),
        ("From: shop@example.com\nTo: Olena <olena@example.net>", ("out", "olena@example.net", False)),
        ("From: boss@gmail.example\nTo: shop@example.com, olena@example.net", ("out", "olena@example.net", False)),
        ("From: shop@example.com\nTo: boss@gmail.example\nCc: olena@example.net", ("out", "olena@example.net", False)),
        ("From: shop@example.com\nTo: boss@gmail.example", ("in", "", False)),
        ("From: shop@example.com\nTo: noreply@bank.example", ("in", "", False)),
        ("From: i@shop.example\nTo: i@shop.example\nReply-To: ivan@example.net", ("in", "ivan@example.net", True)),
        ("From: i@shop.example\nTo: i@shop.example\nReply-To: i@shop.example", ("in", "i@shop.example", False)),
        ("From: i@shop.example\nTo: i@shop.example\nReply-To: boss@gmail.example", ("in", "i@shop.example", False)),
        ("From: root@host\nTo: shop@example.com", ("in", "", False)),
        ("From: Broken <olena@>\nTo: shop@example.com", ("in", "", False)),
    ],
)
def test_whom_it_is_with(head: str, expected: tuple[str, str, bool]) -> None:
    assert found(head) == expected


def test_what_lies_among_the_sent_is_ours_whatever_its_address() -> None:
    assert found("From: alias@other.example\nTo: olena@example.net", is_sent=True) == (
        "out",
        "olena@example.net",
        False,
    )


LIST = "List-ID: Sales <sales.example.com>\nList-Unsubscribe: <mailto:out@example.com>\nPrecedence: list\n"
REPORT = 'Content-Type: multipart/report; boundary=z; report-type="{}"\n'


@pytest.mark.parametrize(
    ("head", "word"),
    [
        (OLENA + "To: shop@example.com", ""),
        ("From: News <news@shop.example>\nList-Unsubscribe: <http://x>\nTo: shop@example.com", "bulk"),
        ("From: noreply@shop.example\nReply-To: hi@mail.shop.example\nPrecedence: bulk\nTo: shop@example.com", "bulk"),
        (OLENA + LIST + "To: sales@example.com", ""),  # a shared mailbox that is a group
        (OLENA + LIST + "To: shop@example.com", "bulk"),
        ("From: noreply@mailer.example\nReply-To: ivan@example.net\nList-Unsubscribe: <http://x>", ""),  # a form
        ("From: wordpress@site.example\nAuto-Submitted: auto-generated\nReply-To: ivan@example.net", ""),
        (OLENA + "Auto-Submitted: auto-replied (vacation)", "auto-reply"),
        (OLENA + "X-Autoreply: yes", "auto-reply"),
        (OLENA + "Auto-Submitted: no", ""),
        ("From: MAILER-DAEMON@mx.example\nAuto-Submitted: auto-replied", "bounce"),
        ("From: x@mx.example\n" + REPORT.format("delivery-status"), "bounce"),
        (OLENA + REPORT.format("disposition-notification"), "auto-reply"),
        ("From: shop@example.com\nTo: olena@example.net\nList-Unsubscribe: <http://x>", ""),  # ours
    ],
)
def test_what_nobody_wrote(head: str, word: str) -> None:
    mail = read_mail(head.encode() + b"\n\nText")
    assert automatic(mail, who(mail, ours_in(OURS))) == word
