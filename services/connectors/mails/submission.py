"""An answer that a mail server takes for us (RFC 6409): its request is a letter."""

from typing import Annotated

from msgspec import Meta
from msgspec.structs import replace

from crm.connector_send import Accepted, Ask, CannotSend, Outcome, Page, Sending
from services.connectors.mails.outgoing import LIMITS, letter, mail_of
from services.connectors.mails.people import AnswerSettings
from services.connectors.sending import token_missing

BY_SERVER = replace(LIMITS, needs=("reply_from", "smtp_host"))
SmtpHost = Annotated[str, Meta(description="The server that answers are sent through, with STARTTLS or TLS.")]
SmtpPort = Annotated[int, Meta(description="Its port: 587, or 465 for TLS from the beginning.")]


class SubmissionSettings(AnswerSettings, frozen=True, gc=False):
    """The settings of a connection to a mailbox whose mails are answered through its mail server."""

    smtp_host: SmtpHost = ""
    smtp_port: SmtpPort = 587


def address(host: str, port: int) -> str:
    return f"smtp://{host}:{port}" if host else ""


def submission(sending: Sending, host: str, user: str, password: str) -> Ask:
    """Raises CannotSend."""
    mail = mail_of(sending)
    if not host:
        raise CannotSend(token_missing("smtp_host"))
    envelope = {"from": mail.address, "to": mail.to, "user": user, "password": password}
    return Ask("", {}, "SMTP", letter(mail, sending.reply.meta.occurred_at), envelope)


def read(_page: Page, sending: Sending) -> Outcome:
    return Accepted(mail_of(sending).id)
