"""Chats of pages and professional accounts at Meta, which tell them in one form
(https://developers.facebook.com/docs/graph-api/webhooks/reference/page)."""

from collections.abc import Iterator
from functools import partial
from typing import Any

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, digest
from crm.errors import Malformed
from crm.scalars import Micros
from crm.shared import Attachment
from services.connectors.chat import Channel, joined, lines, place, plainly, unknown
from services.connectors.formats.exact_json import Tree, Value, canonical, decode_object
from services.connectors.formats.times import moment_of_millis
from services.connectors.formats.values import at, first, records, required, text, verbatim, whole_or_none
from services.connectors.meta_activation import AppId, Token
from services.connectors.signatures.meta import VerifyToken, answer_challenge, expect_object, verify_meta

FILES = {"image": "photo", "file": "document"}
QUIET = (
    "optin",
    "account_linking",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
    "app_roles",
)


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an app."""

    verify_token: VerifyToken = ""
    app_id: AppId = ""
    token: Token = ""


def page_webhook(channel: str, object: str) -> Webhook:
    """Returns how the chats of a channel are received. `object`: what Meta names its deliveries by."""
    return Webhook(verify, partial(reports_of, channel, object), handshake=handshake)


def verify(delivery: Delivery, connection: Connection) -> None:
    verify_meta(delivery, connection.secret)


def handshake(delivery: Delivery, connection: Connection) -> Answer | None:
    return answer_challenge(delivery, connection.settings_as(Settings).verify_token)


def reports_of(channel_name: str, object_name: str, delivery: Delivery, _connection: Connection) -> Iterator[Report]:
    """Yields the reports of all events of all entries. Also of those that another app answers (`standby`)."""
    body, channel = decode_object(delivery.body), Channel(channel_name, delivery)
    expect_object(body, object_name)
    for entry in records(body, "entry"):
        events = [*records(entry, "messaging"), *records(entry, "standby")]
        for event in events:
            event.setdefault("ours", text(entry, "id"))
        yield from channel.each(events, lambda event: event_reports(channel, event))
        if not events:
            yield channel.kept(joined(*(text(change, "field") for change in records(entry, "changes"))) or "empty")


def event_reports(channel: Channel, event: Tree) -> Iterator[Report]:
    """`sender` and `recipient` are ours and the customer's, either way round: an echo is what we sent ourselves."""
    sender, receiver = text(event, "sender", "id"), text(event, "recipient", "id")
    out = at(event, "message", "is_echo") is True or (sender == text(event, "ours") and bool(receiver))
    chat = receiver if out else sender
    moment = moment_of_millis(whole_or_none(event, "timestamp"))
    said: dict[str, Any] = {"sender": sender, "direction": "out"} if out else {}
    kind = next((name for name in EVENTS if isinstance(event.get(name), dict)), "")
    if kind and not chat:
        raise Malformed("It does not say whose chat it is about: 'sender.id' is missing.")
    if kind:
        yield from EVENTS[kind](channel, chat, event[kind], moment, said)
    else:
        yield channel.kept(next((name for name in event if name in QUIET), "an event without a customer's message"))


def message(channel: Channel, chat: str, value: Value, moment: Micros | None, said: dict[str, Any]) -> Iterator[Report]:
    id = required(value, "mid")
    if at(value, "is_deleted") is True:
        yield channel.deleted(chat, id, moment, **said)
        return
    files = [attachment(one) for one in records(value, "attachments") if text(one, "type") not in WORDS]
    words = [WORDS[text(one, "type")](one) for one in records(value, "attachments") if text(one, "type") in WORDS]
    own = verbatim(value, "text")
    if story := at(value, "reply_to", "story"):
        words.append(f"[reply to a story: {first(story, 'url', 'id')}]")
    if at(value, "referral"):
        words.append(source(at(value, "referral")))
    if at(value, "is_unsupported") is True:
        words.append(f"[a message that {channel.name.capitalize()} does not show to programs]")
    if not (own or files or words):
        words.append(unknown("", value))
    reply = text(value, "reply_to", "mid")
    content: dict[str, Any] = {"text": lines(own, *words), "attachments": tuple(files), "reply_to": reply}
    if at(value, "is_echo") is True and text(value, "metadata"):
        content["reply"] = text(value, "metadata")
    yield channel.message(chat, id, moment, **said, **content)


def edit(channel: Channel, chat: str, value: Value, moment: Micros | None, said: dict[str, Any]) -> Iterator[Report]:
    id, number = required(value, "mid"), max(0, whole_or_none(value, "num_edit") or 0)
    yield channel.edit(chat, id, moment, f"{id}/{number}", text=verbatim(value, "text"), revision=number, **said)


def postback(
    channel: Channel, chat: str, value: Value, moment: Micros | None, said: dict[str, Any]
) -> Iterator[Report]:
    """A button was pressed, or "Get started"."""
    label, payload = text(value, "title"), text(value, "payload")
    words = (
        f"Pressed: {label} ({payload})" if label and payload and label != payload else f"Pressed: {label or payload}"
    )
    id = text(value, "mid") or f"postback/{moment}/{digest(canonical(value))[:16]}"
    ad = source(at(value, "referral")) if at(value, "referral") else ""
    yield channel.message(chat, id, moment, text=lines(words, ad), **said)


def delivery(
    channel: Channel, chat: str, value: Value, moment: Micros | None, _said: dict[str, Any]
) -> Iterator[Report]:
    ids = at(value, "mids")
    for id in ids if isinstance(ids, list) else ():
        if isinstance(id, str) and id:
            yield channel.status(chat, id, "delivered", moment)
    yield from up_to(channel, chat, value, "delivered")


def read(channel: Channel, chat: str, value: Value, moment: Micros | None, _said: dict[str, Any]) -> Iterator[Report]:
    if id := text(value, "mid"):
        yield channel.status(chat, id, "read", moment)
    yield from up_to(channel, chat, value, "read")


def up_to(channel: Channel, chat: str, value: Value, status: str) -> Iterator[Report]:
    """The watermark: all that we sent until then."""
    if (moment := moment_of_millis(whole_or_none(value, "watermark"))) is not None:
        yield channel.status_up_to(chat, status, moment)


def reaction(
    channel: Channel, chat: str, value: Value, moment: Micros | None, said: dict[str, Any]
) -> Iterator[Report]:
    back = text(value, "action") == "unreact"
    words = "took a reaction back" if back else f"reacted {first(value, 'emoji', 'reaction')}".strip()
    id = f"reaction/{moment}/{required(value, 'mid')}"
    yield channel.event(chat, id, moment, words, reply_to=text(value, "mid"), **said)


def referral(
    channel: Channel, chat: str, value: Value, moment: Micros | None, said: dict[str, Any]
) -> Iterator[Report]:
    id = f"referral/{moment}/{digest(canonical(value))[:16]}"
    yield channel.event(chat, id, moment, f"opened the chat, {source(value)[1:-1]}", **said)


def source(value: Value) -> str:
    """Returns what led the customer here: an advertisement, a link, a QR code."""
    about = joined(text(value, "ads_context_data", "ad_title"), text(value, "ref"), text(value, "ad_id"))
    return f"[came from {text(value, 'source') or 'a link'}: {about or plainly(value)}]"


def attachment(value: Tree) -> Attachment:
    kind, part = text(value, "type"), at(value, "payload")
    link = first(part, "url", "link", "sticker_id", "attachment_id") or text(value, "url")
    return Attachment(
        FILES.get(kind, kind) or "file", first(part, "title", "name") or text(value, "title"), "", 0, link
    )


def located(value: Value) -> str:
    return lines(text(value, "title"), place(at(value, "payload", "coordinates"), "lat", "long"))


def shared(value: Value) -> str:
    """A link, or a template of a bot."""
    return joined(text(value, "title"), first(at(value, "payload"), "url", "title") or text(value, "url")) or unknown(
        text(value, "type"), value
    )


WORDS = {"location": located, "fallback": shared, "template": shared}
EVENTS = {
    "message": message,
    "message_edit": edit,
    "postback": postback,
    "delivery": delivery,
    "read": read,
    "reaction": reaction,
    "referral": referral,
}
