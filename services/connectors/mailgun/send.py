"""Mailgun: how an answer is sent (https://documentation.mailgun.com/docs/mailgun/api-reference/send/mailgun/messages)."""

import base64

from crm.connector_send import Accepted, Ask, Connection, Outcome, Page, Sending
from services.connectors.mailgun.settings import Settings
from services.connectors.mails.outgoing import key_of, mail_of, mail_send
from services.connectors.mails.progress import REPLY
from services.connectors.sending import multipart_ask


def base(connection: Connection) -> str:
    eu = connection.settings_as(Settings).region == "eu"
    return "https://api.eu.mailgun.net" if eu else "https://api.mailgun.net"


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    fields = {"from": mail.sender, "to": mail.to, "subject": mail.subject, "text": mail.text}
    fields[f"v:{REPLY}"] = sending.key
    fields |= {f"h:{name}": value for name, value in mail.headers.items()}
    key = base64.b64encode(f"api:{key_of(sending)}".encode()).decode()
    files = [("attachment", file, content) for file, content in mail.files]
    path = f"/v3/{mail.address.rpartition('@')[2]}/messages"
    return multipart_ask(path, fields, files, sending.key, {"authorization": f"Basic {key}"})


def read(_page: Page, sending: Sending) -> Outcome:
    return Accepted(mail_of(sending).id)


SEND = mail_send(base, request, read=read)
