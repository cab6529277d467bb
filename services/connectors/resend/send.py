"""Resend: how an answer is sent (https://resend.com/docs/api-reference/emails/send-email). For a day it knows a
repetition by the Idempotency-Key."""

from msgspec.structs import replace

from crm.connector_send import Ask, Sending
from services.connectors.formats.exact_json import Tree
from services.connectors.mails.outgoing import WITH_API_KEY, key_of, mail_of, mail_send
from services.connectors.mails.progress import REPLY
from services.connectors.sending import json_ask


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    files: list[Tree] = [{"content": content, "filename": file.name} for file, content in mail.encoded()]
    body: Tree = {
        "from": mail.sender,
        "to": [mail.to],
        "subject": mail.subject,
        "text": mail.text,
        "headers": {**mail.headers},
        "tags": [{"name": REPLY, "value": sending.key}],
        **({"attachments": [*files]} if files else {}),
    }
    key = key_of(sending, "api_key")
    headers = {"authorization": f"Bearer {key}", "idempotency-key": sending.key}
    return json_ask("/emails", body, headers)


LIMITS = replace(WITH_API_KEY, per_second=2)
SEND = mail_send("https://api.resend.com", request, limits=LIMITS, message="id", idempotent=True)
