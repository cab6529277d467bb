"""Viber bots: how an answer is sent (https://developers.viber.com/docs/api/rest-bot-api/#send-message)."""

from crm.connector_send import Ask, CannotSend, Limits, Send, Sending
from services.connectors.formats.exact_json import Tree
from services.connectors.sending import json_ask
from services.connectors.viber.webhook import Settings

TYPES = {"photo": "picture", "video": "video"}


def request(sending: Sending) -> Ask:
    reply, name = sending.reply, sending.settings_as(Settings).welcome_from
    body: Tree = {"receiver": reply.chat, "min_api_version": 1, "sender": {"name": name[:28]}}
    for file in reply.attachments:
        kind = TYPES.get(file.kind, "file")
        if kind != "picture" and not file.size:
            raise CannotSend("Viber wants to know how many bytes a file has: give its size.")
        body |= (
            {"type": kind, "media": file.ref, "text": ""} if kind == "picture" else {"type": kind, "media": file.ref}
        )
        body |= {"size": file.size, "file_name": file.name[:256]} if kind == "file" else {}
        body |= {"size": file.size} if kind == "video" else {}
    if not reply.attachments:
        body |= {"type": "text", "text": reply.text}
    return json_ask("/pa/send_message", body, {"x-viber-auth-token": sending.connection.secret})


SEND = Send(
    "https://chatapi.viber.com",
    request,
    Limits(
        text=7_000,
        caption=-1,
        files=1,
        file_bytes=50_000_000,
        kind_bytes={"photo": 1_000_000, "video": 26_000_000},
        per_second=50,
    ),
    message="message_token",
    why="status_message",
    good={"status": "0"},
    busy={"status": ("12",)},
)
