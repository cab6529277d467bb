"""IMAP: how an answer is sent, through the mail server of the mailbox, with its user and password."""

from crm.connector_send import Ask, Connection, Sending
from services.connectors.imap.poll import Settings
from services.connectors.mails.outgoing import mail_send
from services.connectors.mails.submission import BY_SERVER, address, read, submission


def base(connection: Connection) -> str:
    settings = connection.settings_as(Settings)
    return address(settings.smtp_host, settings.smtp_port)


def request(sending: Sending) -> Ask:
    settings = sending.settings_as(Settings)
    return submission(sending, settings.smtp_host, settings.user, sending.connection.secret)


SEND = mail_send(base, request, limits=BY_SERVER, why="reply", read=read)
