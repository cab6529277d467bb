"""Postmark: how an answer is sent (https://postmarkapp.com/developer/api/email-api)."""

from crm.connector_send import Accepted, Ask, Outcome, Page, Sending
from services.connectors.formats.exact_json import Tree
from services.connectors.mails.outgoing import key_of, mail_of, mail_send
from services.connectors.mails.progress import REPLY
from services.connectors.sending import json_ask


def request(sending: Sending) -> Ask:
    mail = mail_of(sending)
    headers: list[Tree] = [{"Name": n, "Value": v} for n, v in mail.headers.items()]
    headers.append({"Name": "X-PM-KeepID", "Value": "true"})  # or it gives another Message-ID
    files: list[Tree] = [
        {"Name": file.name, "Content": content, "ContentType": file.media_type or "application/octet-stream"}
        for file, content in mail.encoded()
    ]
    body: Tree = {"From": mail.sender, "To": mail.to, "Subject": mail.subject, "TextBody": mail.text}
    body |= {"Headers": [*headers], "MessageStream": "outbound", "Metadata": {REPLY: sending.key}}
    body |= {"Attachments": [*files]} if files else {}
    return json_ask("/email", body, {"x-postmark-server-token": key_of(sending), "accept": "application/json"})


def read(_page: Page, sending: Sending) -> Outcome:
    return Accepted(mail_of(sending).id)


SEND = mail_send("https://api.postmarkapp.com", request, why="Message", good={"ErrorCode": "0"}, read=read)
