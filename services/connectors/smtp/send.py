"""SMTP: how an answer is sent, through a mail server of your own (RFC 6409). Its request is a letter."""

from msgspec.structs import replace

from crm.connector_send import Accepted, Ask, CannotSend, Connection, Outcome, Page, Sending
from services.connectors.mails.outgoing import LIMITS, letter, mail_of, mail_send
from services.connectors.sending import token_missing
from services.connectors.smtp.webhook import Settings


def base(connection: Connection) -> str:
    settings = connection.settings_as(Settings)
    return f"smtp://{settings.smtp_host}:{settings.smtp_port}" if settings.smtp_host else ""


def request(sending: Sending) -> Ask:
    mail, settings = mail_of(sending), sending.settings_as(Settings)
    if not settings.smtp_host:
        raise CannotSend(token_missing("smtp_host"))
    envelope = {"from": mail.address, "to": mail.to, "user": settings.smtp_user, "password": settings.send_key}
    return Ask("", {}, "SMTP", letter(mail, sending.reply.meta.occurred_at), envelope)


def read(_page: Page, sending: Sending) -> Outcome:
    return Accepted(mail_of(sending).id)


SEND = mail_send(base, request, limits=replace(LIMITS, needs=("reply_from", "smtp_host")), why="reply", read=read)
