"""Vonage: the events of each leg of a conversation (https://developer.vonage.com/voice/voice-api/webhook-reference)."""

from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.facts import CallReported
from services.connectors.call_sides import OwnNumbers, number, sides_of
from services.connectors.formats.exact_json import canonical, decode_object
from services.connectors.formats.times import iso_or_none
from services.connectors.formats.values import first, required, seconds_or_none, text
from services.connectors.vonage.token import verify

ENDS = {
    "completed": "answered",
    "busy": "busy",
    "cancelled": "cancelled",
    **dict.fromkeys(("failed", "rejected"), "failed"),
    **dict.fromkeys(("timeout", "unanswered"), "no_answer"),
}
PHASES = {"": "ringing", "started": "ringing", "transfer": "transferred", "record": "recorded"}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an application."""

    own_numbers: OwnNumbers = ""
    country: Country = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the report of a leg. An incoming leg is answered by the application: whether a person took the call, the
    outgoing legs tell, and so the report of an incoming one is of the whole."""
    event = decode_object(delivery.body)
    id, leg = first(event, "conversation_uuid", "conversation_uuid_from"), text(event, "uuid")
    id = id or required(event, "uuid")
    recording = text(event, "recording_url")
    status = "record" if recording else text(event, "status").lower()
    said = {"inbound": "in", "outbound": "out"}.get(text(event, "direction"), "" if status else "in")
    own = connection.settings_as(Settings).own_numbers
    numbers = number(text(event, "from")), number(text(event, "to"))
    sides = sides_of(*numbers, own, country_of(connection), said, joins=said == "out", beyond=True)
    ended = ENDS.get(status, "")
    at = iso_or_none(text(event, "end_time")) or iso_or_none(text(event, "timestamp")) or delivery.received_at
    report = partial(
        CallReported,
        call=id,
        phase="completed" if ended else PHASES.get(status, status),
        **sides._asdict(),
        talk_s=(seconds_or_none(event, "duration") if ended == "answered" else 0) if ended else None,
        disposition=ended,
        recording=recording,
        leg="" if said == "in" else leg,
    )
    yield Report(f"{id}/{leg}/{status}/{digest(canonical(event))}", id, at, report)


WEBHOOK = Webhook(verify, parse)
