"""Brevo: how an answer is sent (https://developers.brevo.com/reference/sendtransacemail)."""

from crm.connector_send import Accepted, Ask, Outcome, Page, Sending, text_at
from services.connectors.brevo.webhook import HANDED_BACK
from services.connectors.formats.exact_json import Tree
from services.connectors.mails.outgoing import WITH_API_KEY, key_of, mail_of, mail_send
from services.connectors.sending import json_ask


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    files: list[Tree] = [{"content": content, "name": file.name} for file, content in mail.encoded()]
    body: Tree = {
        "sender": {"email": mail.address, **({"name": mail.name} if mail.name else {})},
        "to": [{"email": mail.to}],
        "subject": mail.subject,
        "textContent": mail.text,
        "headers": {**mail.headers, HANDED_BACK: sending.key},
        **({"attachment": [*files]} if files else {}),
    }
    return json_ask("/v3/smtp/email", body, {"api-key": key_of(sending, "api_key"), "accept": "application/json"})


def read(page: Page, _sending: Sending) -> Outcome:
    return Accepted(text_at(page, "messageId").strip("<>"))


SEND = mail_send("https://api.brevo.com", request, limits=WITH_API_KEY, read=read)
