"""Telegram bots: what people write to them, edit, and share (https://core.telegram.org/bots/api#update)."""

from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest, expect_equal
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.facts import DeliveryKept, MessageReported
from crm.scalars import Micros
from crm.shared import Attachment
from services.connectors.formats.exact_json import Tree, Value, canonical, decode_object
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, records, text, whole_or_none
from services.connectors.telegram.activate import BotToken
from services.connectors.telegram.updates import QUIET, as_message, is_message
from services.connectors.telegram.words import FILES, joined, name_of, phone_of, words_of

CHAT_KINDS = {"private": "private", "group": "group", "supergroup": "group", "channel": "channel"}
DELETED = "deleted_business_messages"
# Accounts of Telegram's own: service messages, anonymous admins, posts of a channel in its discussion group.
NO_PERSONS = {"777000", "1087968824", "136817688"}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a bot."""

    token: BotToken = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    expect_equal(connection.secret, delivery.headers.get("x-telegram-bot-api-secret-token", ""), "secret token")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the reports of an update. Its key is number and content, as numbers restart after a quiet week."""
    update = decode_object(delivery.body)
    if "update_id" not in update and not any(map(is_message, update.values())):
        raise Malformed("It is no update of Telegram: 'update_id' is missing.")
    content = digest(canonical(update))[:32]
    key = f"{text(update, 'update_id')}/{content}"
    kind = next((name for name in update if name != "update_id"), "empty")
    value = update.get(kind)
    revision = max(0, whole_or_none(update, "update_id") or 0)
    if kind == DELETED and isinstance(value, dict):
        yield from deleted_messages(key, value, delivery)
        return
    country, edit = country_of(connection), kind.startswith("edited_")
    if kind not in QUIET and isinstance(value, dict):
        if is_message(value) and kind != "message_reaction":
            yield message_report(key, value, *words_of(value, country), revision, edit, country, delivery)
            return
        if found := as_message(kind, value, content):
            yield message_report(key, *found, revision, edit, country, delivery)
            return
    yield Report(key, "", delivery.received_at, partial(DeliveryKept, connector="telegram", kind=kind))


def message_report(
    key: str, message: Tree, words: str, happened: bool, revision: int, edit: bool, country: str, delivery: Delivery
) -> Report:
    """Returns the report of a message. An optional value that cannot be read (a date, a size) is left out."""
    chat, card = at(message, "chat"), at(message, "contact")
    sent, edited_at = moment(message, "date"), moment(message, "edit_date")
    if edit or edited_at:
        edited_at = edited_at or sent or delivery.received_at
    author = at(message, "sender_chat") or at(message, "from") or chat
    id, person = text(chat, "id") or text(author, "id"), is_person(message)
    out = CHAT_KINDS.get(text(chat, "type"), "private") == "private" and text(message, "from", "id") not in ("", id)
    moved_to, moved_from = text(message, "migrate_to_chat_id"), text(message, "migrate_from_chat_id")
    fact = partial(
        MessageReported,
        channel="telegram",
        chat=moved_to or id,
        chat_kind=CHAT_KINDS.get(text(chat, "type"), "private"),
        message=text(message, "message_id") or key,
        sender=text(message, "from", "id") or id if person else moved_to or id,
        sender_name=name_of(author),
        username=text(author, "username") if person else "",
        text=words,
        attachments=files_of(message),
        shared_phone=phone_of(card, country) if card else None,
        shared_is_own=bool(card) and text(card, "user_id") == text(message, "from", "id") != "",
        edited_at=edited_at,
        reply_to=text(message, "reply_to_message", "message_id"),
        direction="out" if out else "in",
        kind="service" if happened else "",
        person=person,
        chat_title=name_of(chat),
        account=text(message, "business_connection_id"),
        former_chat=id if moved_to else moved_from,
        sent_at=sent,
        revision=revision,
    )
    return Report(key, id, edited_at or sent or delivery.received_at, fact)


def deleted_messages(key: str, value: Tree, delivery: Delivery) -> Iterator[Report]:
    """Yields a report for each deleted message."""
    chat, ids = text(value, "chat", "id"), value.get("message_ids")
    for id in dict.fromkeys(text({"": one}, "") for one in ids) if isinstance(ids, list) else ():
        fact = partial(
            MessageReported,
            channel="telegram",
            chat=chat,
            chat_kind="private",
            message=id,
            sender=chat,
            kind="deleted",
            account=text(value, "business_connection_id"),
        )
        yield Report(f"{key}/{id}", chat, delivery.received_at, fact)


def is_person(message: Tree) -> bool:
    """Whether a person wrote it: no channel, no admin who writes as the group, no bot."""
    author = at(message, "from") or (at(message, "chat") if text(message, "chat", "type") == "private" else None)
    robot = at(author, "is_bot") is True or text(author, "id") in NO_PERSONS
    return bool(author) and not robot and not at(message, "sender_chat")


def moment(message: Tree, name: str) -> Micros | None:
    return moment_or_none(whole_or_none(message, name))


def files_of(message: Value) -> tuple[Attachment, ...]:
    """Returns the attachments. Of a photo's sizes the last is the largest; an animation comes as a document too."""
    if not isinstance(message, dict) or message.keys().isdisjoint(FILES):
        return ()
    photo = records(message, "photo")[-1:]
    found = [(kind, file) for kind in FILES if isinstance(file := at(message, kind), dict)][:1]
    return tuple(attachment(kind, file) for kind, file in [*(("photo", size) for size in photo), *found])


def attachment(kind: str, file: Tree) -> Attachment:
    size = max(0, whole_or_none(file, "file_size") or 0)
    name = text(file, "file_name") or joined(text(file, "performer"), text(file, "title"))
    return Attachment(kind, name, text(file, "mime_type"), size, text(file, "file_id"))


WEBHOOK = Webhook(verify, parse, secret_headers=frozenset(("x-telegram-bot-api-secret-token",)))
