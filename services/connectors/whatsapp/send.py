"""WhatsApp Cloud API: how an answer is sent (https://developers.facebook.com/docs/whatsapp/cloud-api/guides/send-messages).

What is sent with `biz_opaque_callback_data` comes back with each of its statuses: so a reply is known by ours.
"""

from crm.connector_send import Ask, CannotSend, Limits, ReplyQueued, Send, Sending
from crm.shared import Attachment, Template
from services.connectors.formats.exact_json import Tree
from services.connectors.meta_activation import VERSION
from services.connectors.sending import META_BUSY, json_ask, token_missing
from services.connectors.whatsapp.webhook import Settings

# What it shows; another picture or video goes as a document
TYPES = {"image/jpeg": "image", "image/png": "image", "video/mp4": "video", "video/3gpp": "video"}


def request(sending: Sending) -> Ask:
    reply, token = sending.reply, sending.settings_as(Settings).token
    if not token:
        raise CannotSend(token_missing("token"))
    # who hides their number is known by an id of letters and digits
    to = {"recipient_type": "individual", "to": reply.chat} if reply.chat.isdecimal() else {"recipient": reply.chat}
    body: Tree = {"messaging_product": "whatsapp", **to, "biz_opaque_callback_data": sending.key, **content_of(reply)}
    if reply.answers:
        body["context"] = {"message_id": reply.answers}
    return json_ask(f"{VERSION}/{reply.account}/messages", body, {"authorization": f"Bearer {token}"})


def content_of(reply: ReplyQueued) -> Tree:
    if reply.template:
        return {"type": "template", "template": template_of(reply.template)}
    if reply.attachments:
        return file_of(reply.attachments[0], reply.text)
    return {"type": "text", "text": {"body": reply.text, "preview_url": False}}


def template_of(template: Template) -> Tree:
    """Its places are numbered, or all of them have names."""
    numbered = all(name.isdecimal() for name in template.values)
    places = sorted(template.values, key=int) if numbered else template.values
    values: list[Tree] = [
        {"type": "text", **({} if numbered else {"parameter_name": name}), "text": template.values[name]}
        for name in places
    ]
    parts: Tree = {"components": [{"type": "body", "parameters": [*values]}]} if values else {}
    return {"name": template.name, "language": {"code": template.language}, **parts}


def file_of(file: Attachment, text: str) -> Tree:
    kind = "audio" if file.kind == "audio" else TYPES.get(file.media_type, "document")
    part: Tree = {"link": file.ref}
    if text and kind != "audio":
        part["caption"] = text
    if kind == "document":
        part["filename"] = file.name
    return {"type": kind, kind: part}


LIMITS = Limits(
    text=4_096,
    caption=1_024,
    files=1,
    file_bytes=100_000_000,
    kind_bytes={"photo": 5_000_000, "video": 16_000_000, "audio": 16_000_000},
    window_hours=24,
    templates=True,
    per_second=80,
    needs=("token",),
)
SEND = Send(
    "https://graph.facebook.com",
    request,
    LIMITS,
    message="messages.0.id",
    why="error.message",
    busy=META_BUSY,
)
