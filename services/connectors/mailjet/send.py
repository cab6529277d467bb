"""Mailjet: how an answer is sent (https://dev.mailjet.com/email/guides/send-api-v31). Its key is two, with a colon."""

import base64

from crm.connector_send import Accepted, Ask, Failed, Outcome, Page, Sending, text_at
from services.connectors.formats.exact_json import Tree
from services.connectors.mails.outgoing import key_of, mail_of, mail_send
from services.connectors.sending import json_ask


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    thread = {name: value for name, value in mail.headers.items() if name != "Message-ID"}  # it gives its own
    files: list[Tree] = [
        {"ContentType": file.media_type or "application/octet-stream", "Filename": file.name, "Base64Content": content}
        for file, content in mail.encoded()
    ]
    message: Tree = {
        "From": {"Email": mail.address, **({"Name": mail.name} if mail.name else {})},
        "To": [{"Email": mail.to}],
        "Subject": mail.subject,
        "TextPart": mail.text,
        "CustomID": sending.key,
        **({"Headers": {**thread}} if thread else {}),
        **({"Attachments": [*files]} if files else {}),
    }
    key = base64.b64encode(key_of(sending).encode()).decode()
    return json_ask("/v3.1/send", {"Messages": [message]}, {"authorization": f"Basic {key}"})


def read(page: Page, _sending: Sending) -> Outcome:
    if text_at(page, "Messages.0.Status") != "success":
        return Failed(text_at(page, "Messages.0.Errors.0.ErrorMessage") or "Mailjet did not take it.")
    return Accepted(text_at(page, "Messages.0.To.0.MessageUUID"))


SEND = mail_send("https://api.mailjet.com", request, why="Messages.0.Errors.0.ErrorMessage", read=read)
