"""The sample mails are read as is expected of them: people, subject, texts and files, byte for byte."""

import json
import re
from pathlib import Path

import pytest

from crm.connector import Delivery
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors.mails.mail import Address, moment_of
from services.connectors.mails.people import MailSettings
from services.connectors.mails.reports import mail_report
from services.connectors.mails.rfc822 import read_mail
from tests.support.needs import needs_samples
from tests.support.vendor_samples import FOLDER

MAILS = FOLDER / "rfc822"
EXPECTED = MAILS / "_expected_imap_tools.json"
# Said to be in another charset than they are: what is expected has letters that are wrong, or none in their place.
BETTER = {
    "error_emails__content_transfer_encoding_7-bit.eml": "text html",
    "error_emails__content_transfer_encoding_empty.eml": "html",
    "error_emails__content_transfer_encoding_plain.eml": "text",
    "error_emails__invalid_subject_characters.eml": "subject",
    "plain_emails__raw_email6.eml": "text",
    "plain_emails__raw_email_string_in_date_field.eml": "date_str",
}


def alike(text: str) -> str:
    """Without blanks, and without the charset that a page says of itself."""
    return "".join(re.sub(r"charset=[\w-]+", "charset=", text, flags=re.IGNORECASE).split()).replace("\ufffd", "")


def people(values: tuple[Address, ...]) -> list[dict[str, str]]:
    return [{"name": one.name, "email": one.written} for one in values]


@needs_samples
def test_every_sample_is_read_as_expected() -> None:
    every = json.loads(EXPECTED.read_text("utf-8"))
    for name, expected in every.items():
        mail = read_mail((MAILS / f"imap_tools__{name}").read_bytes())
        texts = {"subject": mail.subject, "date_str": mail.date, "text": mail.text, "html": mail.html}
        for field, text in texts.items():
            got, wanted = alike(text), alike(expected[field])
            if field in BETTER.get(name, ""):
                assert got != wanted, name
                got, wanted = (re.sub(r"[^\x20-\x7e]", "", one) for one in (got, wanted))
            assert got == wanted, (name, field)
        known = {"to": mail.to, "cc": mail.cc, "bcc": mail.bcc, "reply_to": mail.reply_to}
        for field, values in known.items():
            assert people(values) == expected[f"{field}_values"], (name, field)
        assert people((mail.sender,))[0] == (expected["from_values"] or {"name": "", "email": ""}), name
        files = [(file.name, file.media_type, file.size, file.ref) for file in mail.files]
        assert files == [
            (one["filename"], one["content_type"], one["payload"]["bytes_len"], f"sha256:{one['payload']['sha256']}")
            for one in expected["attachments"]
        ], name
    assert len(every) == 113


@needs_samples
def test_every_sample_is_reported_or_said_to_be_no_mail() -> None:
    unread = []
    files = sorted(MAILS.glob("*.eml"))
    for file in files:
        try:
            reported(file)
        except Malformed:
            unread.append(file.name)
    assert unread == [
        "imap_tools__plain_emails__raw_email_incorrect_header.eml",  # a line in its headers ends them before From
        "imap_tools__rfc2822__example13.eml",  # its headers have blanks before their colons
    ]
    assert len(files) == 114


def reported(file: Path) -> str:
    delivery = Delivery({}, file.read_bytes(), Micros(1_791_190_920_000_000))
    return mail_report(read_mail(delivery.body), delivery, MailSettings()).key


def test_bytes_that_say_no_charset_are_read_by_what_they_are() -> None:
    """A library gave an empty text for them: it left out every byte that is no UTF-8."""
    text = "Добрий день, чи є у вас столи та стільці?"
    for charset in ("cp1251", "koi8-u", "utf-8"):
        raw = b"From: a@example.net\r\nSubject: " + text.encode(charset) + b"\r\n\r\n" + text.encode(charset)
        mail = read_mail(raw)
        assert (mail.subject, mail.text) == (text, text)


@pytest.mark.parametrize("charset", ["x-unknown", "windows-1251", "utf-8", "us-ascii", '"cp1251"'])
def test_a_charset_that_is_wrong_or_unknown_costs_no_letter(charset: str) -> None:
    head = f"From: a@example.net\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    assert read_mail(head + "Чи є у вас столи?".encode("cp1251")).text == "Чи є у вас столи?"


def test_parts_that_are_nested_without_end_are_no_mail() -> None:
    head = "From: a@example.net\r\n" + "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n" for n in range(5_000)
    )
    with pytest.raises(Malformed, match="nested too deeply"):
        read_mail(head.encode())


@pytest.mark.parametrize(
    ("date", "moment"),
    [
        ("Mon, 5 Oct 2026 12:00:00 +0300", 1_791_190_800_000_000),
        ("Mon, 5 Oct 2026 12:00:00 +0300 (EEST)", 1_791_190_800_000_000),
        ("5 Oct 2026 09:00 GMT", 1_791_190_800_000_000),
        ("Понеділок, 5 Oct 2026 09:00:00", 1_791_190_800_000_000),
        ("Mon, 99 Oct 2026 12:00:00 +0300", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_dates(date: str, moment: int | None) -> None:
    assert moment_of(date) == moment
