"""SMTP: how an answer is sent, through a mail server of your own."""

from crm.connector_send import Ask, Connection, Sending
from services.connectors.mails.outgoing import mail_send
from services.connectors.mails.submission import BY_SERVER, address, read, submission
from services.connectors.smtp.webhook import Settings


def base(connection: Connection) -> str:
    settings = connection.settings_as(Settings)
    return address(settings.smtp_host, settings.smtp_port)


def request(sending: Sending) -> Ask:
    settings = sending.settings_as(Settings)
    return submission(sending, settings.smtp_host, settings.smtp_user, settings.send_key)


SEND = mail_send(base, request, limits=BY_SERVER, why="reply", read=read)
