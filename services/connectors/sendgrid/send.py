"""SendGrid: how an answer is sent (https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send)."""

from crm.connector_send import Accepted, Ask, Outcome, Page, Sending
from services.connectors.formats.exact_json import Tree
from services.connectors.mails.outgoing import key_of, mail_of, mail_send
from services.connectors.mails.progress import REPLY
from services.connectors.sending import json_ask


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    sender: Tree = {"email": mail.address, **({"name": mail.name} if mail.name else {})}
    files: list[Tree] = [
        {"content": content, "filename": file.name, "type": file.media_type or "application/octet-stream"}
        for file, content in mail.encoded()
    ]
    body: Tree = {
        "personalizations": [{"to": [{"email": mail.to}]}],
        "from": sender,
        "subject": mail.subject,
        "content": [{"type": "text/plain", "value": mail.text}],
        "headers": {**mail.headers},
        "custom_args": {REPLY: sending.key},
        **({"attachments": [*files]} if files else {}),
    }
    return json_ask("/v3/mail/send", body, {"authorization": f"Bearer {key_of(sending)}"})


def read(_page: Page, sending: Sending) -> Outcome:
    return Accepted(mail_of(sending).id)


SEND = mail_send("https://api.sendgrid.com", request, why="errors.0.message", read=read)
