"""Answers in the chats of pages and professional accounts at Meta, which takes them in one form."""

from functools import partial

from crm.connector_send import Ask, CannotSend, Limits, Send, Sending
from services.connectors.formats.exact_json import Tree
from services.connectors.meta_activation import VERSION
from services.connectors.page_chats import Settings
from services.connectors.sending import META_BUSY, json_ask, token_missing

DAY = 24 * 3_600_000_000  # microseconds in which no tag is needed
TYPES = {"photo": "image", "video": "video", "audio": "audio"}


def page_send(limits: Limits, metadata: bool) -> Send:
    """Returns how a channel of a page is answered. `metadata`: what is sent with a message comes back with its echo."""
    return Send(
        "https://graph.facebook.com",
        partial(request, metadata),
        limits,
        message="message_id",
        why="error.message",
        busy=META_BUSY,
    )


def request(metadata: bool, sending: Sending) -> Ask:
    """After a day, only a person may answer, which the tag says: for seven days."""
    reply, token = sending.reply, sending.settings_as(Settings).token
    if not token:
        raise CannotSend(token_missing("token"))
    message: Tree = {"text": reply.text}
    for file in reply.attachments:
        kind = TYPES.get(file.kind, "file")
        message = {"attachment": {"type": kind, "payload": {"url": file.ref, "is_reusable": False}}}
    if metadata:
        message["metadata"] = sending.key
    late = reply.asked_at is not None and reply.meta.occurred_at - reply.asked_at > DAY
    tag: Tree = {"messaging_type": "MESSAGE_TAG", "tag": "HUMAN_AGENT"} if late else {"messaging_type": "RESPONSE"}
    body: Tree = {"recipient": {"id": reply.chat}, **tag, "message": message}
    if reply.answers.startswith("m_") or (reply.answers and not metadata):
        body["reply_to"] = {"mid": reply.answers}
    return json_ask(f"{VERSION}/me/messages", body, {"authorization": f"Bearer {token}"})
