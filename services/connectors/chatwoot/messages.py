"""A message of Chatwoot: whose chat it is in, who wrote it, what it says."""

from typing import Any

from crm.connector import Report
from crm.errors import Malformed
from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Attachment
from services.connectors.chat import Channel, joined, lines
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.times import from_iso, moment_or_none
from services.connectors.formats.values import at, first, records, text, verbatim, whole_or_none

# Names of the types, and the numbers that stand for them within a conversation.
TYPES = {"0": "incoming", "1": "outgoing", "2": "activity", "3": "template"}
FILES = {"image": "photo", "file": "document"}
OWN = "potik_reply"  # the content attribute that says which reply of ours it is


def message_report(channel: Channel, id: str, body: Tree, country: str, key: str) -> tuple[Report, str]:
    """Returns the report and its chat. The chat is the person in the inbox: its id stays when a visitor is joined with
    a contact."""
    kind = TYPES.get(text(body, "message_type"), text(body, "message_type"))
    conversation = at(body, "conversation")
    chat = text(conversation, "contact_inbox", "source_id") or text(conversation, "meta", "sender", "id")
    if not chat:
        raise Malformed("It does not say whose chat it is: 'conversation.contact_inbox.source_id' is missing.")
    said, moment = people_of(body, kind, country), moment_of(body)
    if kind == "activity":
        return channel.event(chat, id, moment, verbatim(body, "content"), key=key, **said), chat
    if at(body, "content_attributes", "deleted") is True:
        return channel.deleted(chat, id, moment, **said), chat
    files = tuple(attachment(one) for one in records(body, "attachments"))
    reply = text(body, "content_attributes", "in_reply_to")
    said |= {"reply_address": text(conversation, "id"), "reply": text(body, "content_attributes", OWN)}
    words = lines(verbatim(body, "content"), *places(body), *answers(body))
    return channel.message(chat, id, moment, key, text=words, attachments=files, reply_to=reply, **said), chat


def people_of(body: Tree, kind: str, country: str) -> dict[str, Any]:
    """Returns who wrote it, and what Chatwoot keeps of the customer."""
    contact, author = at(body, "conversation", "meta", "sender"), at(body, "sender")
    theirs = kind == "incoming"
    phone, email = (text(contact, name) or (text(author, name) if theirs else "") for name in ("phone_number", "email"))
    known: dict[str, Any] = {
        "phones": (read_phone(phone, country),) if phone else (),
        "emails": (email,) if email else (),
        "chat_title": text(contact, "name"),
    }
    if theirs:
        return known | {"sender_name": text(author, "name") or text(contact, "name")}
    sender = text(author, "id") or "bot"
    return known | {"direction": "out", "sender": f"agent/{sender}", "sender_name": text(author, "name")}


def status_of(body: Tree) -> str:
    """Returns how far a message of ours came; empty for a customer's."""
    kind, status = TYPES.get(text(body, "message_type"), text(body, "message_type")), text(body, "status")
    return status if kind in ("outgoing", "template") and status in ("sent", "delivered", "read", "failed") else ""


def moment_of(body: Tree) -> Micros | None:
    """Returns when it was made: ISO 8601 in one event, unix seconds in the other."""
    if (seconds := whole_or_none(body, "created_at")) is not None:
        return moment_or_none(seconds)
    try:
        return from_iso(text(body, "created_at"))
    except Malformed:
        return None


def attachment(value: Tree) -> Attachment:
    kind, link = text(value, "file_type"), first(value, "data_url", "external_url")
    size = max(0, whole_or_none(value, "file_size") or 0)
    name = text(value, "file_name") or link.rpartition("/")[2].partition("?")[0]
    return Attachment(FILES.get(kind, kind) or "file", name, text(value, "content_type"), size, link)


def places(body: Tree) -> list[str]:
    return [
        joined(f"Location {text(one, 'coordinates_lat')}, {text(one, 'coordinates_long')}", text(one, "fallback_title"))
        for one in records(body, "attachments")
        if text(one, "coordinates_lat")
    ]


def answers(body: Tree) -> list[str]:
    """Returns what a visitor filled in or chose in a message of the widget."""
    given: Value = at(body, "content_attributes")
    chosen = [
        text(one, "title") or joined(text(one, "name"), text(one, "value"))
        for one in records(given, "submitted_values")
    ]
    return [*filter(None, chosen), *filter(None, [text(given, "submitted_email")])]
