"""Telegram bots: what people write to them, edit, and share (https://core.telegram.org/bots/api#update)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Connection, Connector, Delivery, Report, expect_equal
from crm.facts import DeliveryKept, MessageReported
from crm.phones import read_phone
from crm.shared import Attachment, Phone
from services.connectors.exact_json import Tree, Value, decode_object
from services.connectors.times import from_seconds
from services.connectors.values import at, records, required, required_whole, text, verbatim, whole

MESSAGES = ("message", "edited_message", "channel_post", "edited_channel_post")
CHAT_KINDS = {"private": "private", "group": "group", "supergroup": "group", "channel": "channel"}
FILES = ("animation", "document", "audio", "voice", "video", "video_note", "sticker")


def verify(delivery: Delivery, connection: Connection) -> None:
    expect_equal(connection.secret, delivery.headers.get("x-telegram-bot-api-secret-token", ""), "secret token")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    update = decode_object(delivery.body)
    key = required(update, "update_id")
    kind = next((name for name in update if name != "update_id"), "empty")
    message: Value = update.get(kind) if kind in MESSAGES else None
    files, card = files_of(message), at(message, "contact")
    words = verbatim(message, "text") or verbatim(message, "caption")
    if not (files or words or card):  # a button, a poll, somebody joined: nothing that belongs on a card
        kept = partial(DeliveryKept, connector="telegram", kind=kind)
        yield Report(key, text(message, "chat", "id"), delivery.received_at, kept)
        return
    edited = whole(message, "edit_date")
    chat, sent = required(message, "chat", "id"), from_seconds(required_whole(message, "date"))
    author = at(message, "from") or at(message, "sender_chat") or at(message, "chat")
    told = partial(
        MessageReported,
        channel="telegram",
        chat=chat,
        chat_kind=CHAT_KINDS.get(text(message, "chat", "type"), "private"),
        message=required(message, "message_id"),
        sender=required(author, "id"),
        sender_name=name_of(author),
        username=text(author, "username"),
        text=words,
        attachments=files,
        shared_phone=phone_of(card, connection.settings.get("country", "UA")) if card else None,
        shared_is_own=bool(card) and text(card, "user_id") == text(message, "from", "id") != "",
        edited_at=from_seconds(edited) if edited else sent if kind.startswith("edited_") else None,
        reply_to=text(message, "reply_to_message", "message_id"),
    )
    yield Report(key, chat, from_seconds(edited) if edited else sent, told)


def name_of(author: Value) -> str:
    return " ".join(filter(None, (text(author, "first_name"), text(author, "last_name")))) or text(author, "title")


def phone_of(card: Value, country: str) -> Phone:
    """Telegram may leave out the plus of an international number."""
    given = text(card, "phone_number")
    whole_number = given.isdecimal() and len(given) > 10 and given[0] != "0"
    return Phone(given, read_phone(f"+{given}", country).e164) if whole_number else read_phone(given, country)


def files_of(message: Value) -> tuple[Attachment, ...]:
    """A photo comes in several sizes, the largest last; an animation comes as a document once more."""
    photo = records(message, "photo")[-1:]
    found = [(kind, file) for kind in FILES if isinstance(file := at(message, kind), dict)][:1]
    return tuple(attachment(kind, file) for kind, file in [*(("photo", size) for size in photo), *found])


def attachment(kind: str, file: Tree) -> Attachment:
    return Attachment(
        kind, text(file, "file_name"), text(file, "mime_type"), whole(file, "file_size") or 0, required(file, "file_id")
    )


CONNECTOR = Connector(
    "telegram", "chats", verify, parse, secret_headers=frozenset(("x-telegram-bot-api-secret-token",))
)
