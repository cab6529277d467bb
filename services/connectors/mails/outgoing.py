"""An answer by mail: who it is from and to, and the headers that keep it in its thread (RFC 5322, section 3.6.4)."""

import base64
from collections.abc import Callable
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import default
from email.utils import format_datetime, parseaddr
from typing import Any, NamedTuple

from msgspec.structs import replace

from crm.connector_send import Ask, CannotSend, Connection, Limits, Send, Sending
from crm.shared import Attachment
from services.connectors.mails.people import AnswerSettings
from services.connectors.sending import token_missing

LIMITS = Limits(files=10, file_bytes=10_000_000, per_second=10, needs=("reply_from", "send_key"))
WITH_API_KEY = replace(LIMITS, needs=("reply_from", "api_key"))  # one key for all that is asked


class Mail(NamedTuple):
    """A mail that goes out. `id`: its Message-ID without angle brackets."""

    id: str
    name: str
    address: str
    to: str
    subject: str
    text: str
    headers: dict[str, str]
    files: list[tuple[Attachment, bytes]]

    @property
    def sender(self) -> str:
        return str(Address(self.name, addr_spec=self.address)) if self.name else self.address

    def encoded(self) -> list[tuple[Attachment, str]]:
        """Returns the files with their contents in Base64."""
        return [(file, base64.b64encode(content).decode()) for file, content in self.files]


def mail_of(sending: Sending) -> Mail:
    """Raises CannotSend."""
    reply, settings = sending.reply, sending.settings_as(AnswerSettings)
    name, address = parseaddr(settings.reply_from)
    if not address or "@" not in address:
        raise CannotSend(token_missing("reply_from"))
    if not reply.reply_address:
        raise CannotSend("It is not known to whom: nobody has written in this thread.")
    id = mail_id(reply.message_id, address)
    headers = {"Message-ID": f"<{id}>"}
    if reply.thread:
        headers["In-Reply-To"] = f"<{(reply.answers or reply.thread[-1]).strip('<>')}>"
        headers["References"] = " ".join(
            f"<{one.strip('<>')}>" for one in dict.fromkeys((*reply.thread, reply.answers)) if one
        )
    files = list(zip(reply.attachments, sending.files, strict=True))
    return Mail(id, name, address, reply.reply_address, reply.subject or "Re:", reply.text, headers, files)


def mail_id(reply: str, sender: str) -> str:
    """Returns the Message-ID of a reply, without its angle brackets. `sender`: our address."""
    return f"{reply}.reply@{parseaddr(sender)[1].rpartition('@')[2]}"


def letter(mail: Mail, at: int) -> bytes:
    """Returns a mail as it travels. `at`: when it was written, in microseconds."""
    message = EmailMessage(policy=default.clone(linesep="\r\n"))
    message["From"], message["To"], message["Subject"] = mail.sender, mail.to, mail.subject
    message["Date"] = format_datetime(datetime.fromtimestamp(at / 1e6, UTC))
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    for file, content in mail.files:
        main, _, sub = (file.media_type or "application/octet-stream").partition("/")
        message.add_attachment(content, maintype=main, subtype=sub or "octet-stream", filename=file.name)
    return message.as_bytes()


def key_of(sending: Sending, setting: str = "send_key") -> str:
    """Returns the key of the service's API. Raises CannotSend."""
    if key := sending.connection.settings.get(setting):
        return key
    raise CannotSend(token_missing(setting))


def mail_send(base: str | Callable[[Connection], str], request: Callable[[Sending], Ask], **said: Any) -> Send:
    """Returns how a mail service is asked to send; `said`: other fields of Send."""
    return Send(base, request, **{"limits": LIMITS, "inline": True, "why": "message", **said})
