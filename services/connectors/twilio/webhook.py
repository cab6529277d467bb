"""Twilio: the status of each leg of a call (https://www.twilio.com/docs/voice/api/call-resource#statuscallback)."""

from collections.abc import Iterator, Sequence
from email.utils import parsedate_to_datetime
from functools import partial

from msgspec import Struct

from crm.connector import Answer, Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.envelope import Fact
from crm.facts import CallReported
from crm.scalars import Micros
from services.connectors.call_sides import OwnNumbers, sides_of
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.values import first, required, seconds_or_none, text
from services.connectors.twilio.activate import AccountSid, NumberSid
from services.connectors.twilio.signature import verify

ENDS = {
    "completed": "answered",
    "answered": "answered",
    "busy": "busy",
    "failed": "failed",
    "no-answer": "no_answer",
    "canceled": "cancelled",
}
PHASES = {"in-progress": "answered"} | dict.fromkeys(("queued", "initiated", "ringing"), "ringing")
TWIML = Answer(200, b'<?xml version="1.0" encoding="UTF-8"?><Response/>', "text/xml")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an account."""

    own_numbers: OwnNumbers = ""
    account_sid: AccountSid = ""
    number_sid: NumberSid = ""
    country: Country = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the report of a leg. An incoming call is answered by TwiML: whether a person took it, its child legs or
    the end of its Dial tell, and so the report of such a call is one of the whole."""
    call, own = read_body(delivery).tree, connection.settings_as(Settings).own_numbers
    leg, parent = required(call, "CallSid"), text(call, "ParentCallSid")
    id, status = parent or leg, first(call, "DialCallStatus", "CallStatus").lower()
    dial, at = text(call, "DialCallSid"), moment(call, delivery.received_at)
    said = {"inbound": "in", "outbound-api": "out"}.get(text(call, "Direction"), "")
    joins, numbers = bool(parent), (text(call, "From"), text(call, "To"))
    sides = sides_of(*numbers, own, country_of(connection), said, joins, beyond=bool(own))
    ended, seconds = ENDS.get(status, ""), first(call, "DialCallDuration", "CallDuration")
    recorded = bool(text(call, "RecordingSid")) and not text(call, "CallStatus")
    whole = recorded or (said == "in" and not parent and not dial)
    report = partial(
        CallReported,
        call=id,
        phase="recorded" if recorded else "completed" if ended else PHASES.get(status, status),
        **sides._asdict(),
        talk_s=(seconds_or_none({"": seconds}, "") if ended == "answered" else 0) if ended and not recorded else None,
        disposition="" if recorded else ended,
        recording=text(call, "RecordingUrl"),
        leg="" if whole else dial or leg,
    )
    yield Report(f"{leg}/{status}/{digest(canonical(call))}", id, at, report)


def moment(call: Tree, received_at: Micros) -> Micros:
    """Returns when it happened; Twilio writes times as RFC 2822."""
    try:
        return Micros(int(parsedate_to_datetime(text(call, "Timestamp")).timestamp()) * 1_000_000)
    except (ValueError, OverflowError, OSError):
        return received_at


def answer(_delivery: Delivery, _connection: Connection, _facts: Sequence[Fact]) -> Answer:
    return TWIML


WEBHOOK = Webhook(verify, parse, answer)
