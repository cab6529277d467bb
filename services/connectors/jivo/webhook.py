"""Jivo: chats of a site's visitors (https://www.jivochat.com/api/#webhooks)."""

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, country_of, expect_equal
from crm.connector_settings import Country
from crm.envelope import Fact
from crm.errors import Malformed
from services.connectors.chat import Channel
from services.connectors.formats.exact_json import Tree, decode_object
from services.connectors.formats.values import required, text
from services.connectors.jivo.events import call, changed, chat_accepted, chat_finished, offline_message

ACCEPTED = Answer(200, b'{"result":"ok"}', "application/json")  # Jivo waits for it before it shows the chat
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
        try:
            found = text(decode_object(delivery.body), "widget_id")
        except Malformed:
            found = ""
        expect_equal(widget, found, "widget")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    body, channel = decode_object(delivery.body), Channel("jivo", delivery)
    event = required(body, "event_name")
    reports = list(EVENTS[event](channel, body, country_of(connection))) if event in EVENTS else []
    yield from reports or [channel.kept(event)]


def answer(_delivery: Delivery, _connection: Connection, _facts: Sequence[Fact]) -> Answer:
    return ACCEPTED


WEBHOOK = Webhook(verify, parse, answer)
