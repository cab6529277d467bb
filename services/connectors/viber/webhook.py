"""Viber bots: what people write, and how far our messages came (https://developers.viber.com/docs/api/rest-bot-api)."""

import hashlib
import hmac
from collections.abc import Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import OK, Answer, Connection, Delivery, Report, Webhook, country_of, digest, expect_equal
from crm.connector_settings import Country
from crm.envelope import Fact
from crm.errors import Malformed
from services.connectors.chat import Channel
from services.connectors.formats.exact_json import Tree, decode_object, encode
from services.connectors.formats.times import moment_of_millis
from services.connectors.formats.values import at, required, text, whole_or_none
from services.connectors.viber.activate import BotToken
from services.connectors.viber.messages import content_of

STATUSES = {"delivered": "delivered", "seen": "read", "failed": "failed"}
HAPPENED = {"subscribed": "subscribed", "unsubscribed": "unsubscribed", "conversation_started": "opened the chat"}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a bot."""

    token: BotToken = ""
    country: Country = ""
    welcome: Annotated[str, Meta(description="What the bot says to somebody who opens its chat. Empty: nothing.")] = ""
    welcome_from: Annotated[str, Meta(description="The bot's name above the welcome, at most 28 characters.")] = "Bot"


def verify(delivery: Delivery, connection: Connection) -> None:
    mac = hmac.new(connection.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
    expect_equal(mac, delivery.headers.get("x-viber-content-signature", ""))


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    call, viber = decode_object(delivery.body), Channel("viber", delivery)
    event, moment = required(call, "event"), moment_of_millis(whole_or_none(call, "timestamp"))
    id = text(call, "message_token") or digest(delivery.body)[:32]
    who = at(call, "sender") or at(call, "user") or {"id": text(call, "user_id")}
    if event == "message":
        said = content_of(at(call, "message"), country_of(connection))
        yield viber.message(required(who, "id"), id, moment, sender_name=text(who, "name"), **said)
    elif status := STATUSES.get(event):
        yield viber.status(required(who, "id"), required(call, "message_token"), status, moment, text(call, "desc"))
    elif happened := HAPPENED.get(event):
        by = f"{happened} by {text(call, 'context')}" if text(call, "context") else happened
        yield viber.event(required(who, "id"), f"{event}/{id}", moment, by, sender_name=text(who, "name"))
    else:
        yield viber.kept(event)


def answer(delivery: Delivery, connection: Connection, _facts: Sequence[Fact]) -> Answer:
    """Returns the welcome to somebody who opens the chat: Viber shows what the answer holds."""
    settings = connection.settings_as(Settings)
    if not settings.welcome or event_of(delivery) != "conversation_started":
        return OK
    message: Tree = {"type": "text", "text": settings.welcome, "sender": {"name": settings.welcome_from[:28]}}
    return Answer(200, encode(message).encode(), "application/json")


def event_of(delivery: Delivery) -> str:
    try:
        return text(decode_object(delivery.body), "event")
    except Malformed:
        return ""


WEBHOOK = Webhook(verify, parse, answer)
