"""Jivo: chats of a site's visitors (https://www.jivochat.com/api/#webhooks)."""

from collections.abc import Callable, Iterator
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, expect_equal, json_answer
from crm.connector_settings import Country
from services.connectors.chat import Channel
from services.connectors.formats.exact_json import Tree, decode_object, object_or_empty
from services.connectors.formats.values import required, text
from services.connectors.jivo.events import call, changed, chat_accepted, chat_finished, offline_message

ACCEPTED = json_answer({"result": "ok"})  # Jivo waits for it before it shows the chat
EVENTS: dict[str, Callable[[Channel, Tree, str], Iterator[Report]]] = {
    "chat_accepted": chat_accepted,
    "chat_finished": chat_finished,
    "offline_message": offline_message,
    "call_event": call,
    "chat_updated": changed,
    "client_updated": changed,
}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a widget."""

    widget_id: Annotated[str, Meta(description="The widget's number: deliveries of other widgets are refused.")] = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Jivo signs nothing: the URL is the proof, and the widget must match where the settings have one."""
    if widget := connection.settings_as(Settings).widget_id:
        expect_equal(widget, text(object_or_empty(lambda: decode_object(delivery.body)), "widget_id"), "widget")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body, channel = decode_object(delivery.body), Channel("jivo", delivery)
    event = required(body, "event_name")
    reports = list(EVENTS[event](channel, body, country_of(connection))) if event in EVENTS else []
    yield from reports or [channel.kept(event)]


WEBHOOK = Webhook(verify, parse, lambda *_: ACCEPTED)
