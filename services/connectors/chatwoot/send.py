"""Chatwoot: how an answer is sent (https://developers.chatwoot.com/api-reference/messages/create-new-message).

What is sent as a content attribute comes back with the message's webhook: so a reply is known by ours.
"""

from crm.connector_send import Ask, CannotSend, Connection, Limits, Send, Sending
from services.connectors.chatwoot.messages import OWN
from services.connectors.chatwoot.webhook import Settings
from services.connectors.formats.exact_json import Tree, encode
from services.connectors.sending import json_ask, multipart_ask, token_missing


def base(connection: Connection) -> str:
    return connection.settings_as(Settings).site.rstrip("/")


def request(sending: Sending) -> Ask:
    reply, settings = sending.reply, sending.settings_as(Settings)
    for setting in ("site", "account", "token"):
        if not getattr(settings, setting):
            raise CannotSend(token_missing(setting))
    if not reply.reply_address:
        raise CannotSend("It is not known which conversation of Chatwoot it is, until the customer writes again.")
    path = f"/api/v1/accounts/{settings.account}/conversations/{reply.reply_address}/messages"
    attributes: Tree = {OWN: sending.key}
    if reply.answers.isdecimal():
        attributes["in_reply_to"] = int(reply.answers)
    key = {"api_access_token": settings.token}
    if not reply.attachments:
        said: Tree = {"content": reply.text, "message_type": "outgoing", "private": False}
        return json_ask(path, said | {"content_attributes": attributes}, key)
    fields = {"content": reply.text, "message_type": "outgoing", "content_attributes": encode(attributes)}
    files = [(file, content) for file, content in zip(reply.attachments, sending.files, strict=True)]
    return multipart_ask(path, fields, [("attachments[]", file, content) for file, content in files], sending.key, key)


SEND = Send(
    base,
    request,
    Limits(text=10_000, files=10, file_bytes=40_000_000, per_second=20, needs=("site", "account", "token")),
    message="id",
    why="error",
    inline=True,
)
