"""FreeSWITCH: one record of each leg (https://developer.signalwire.com/freeswitch, mod_json_cdr, event socket)."""

import base64
import binascii
from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest, expect_equal
from crm.connector_settings import Country
from crm.facts import CallReported
from crm.scalars import Micros
from services.connectors.call_sides import OwnNumbers, sides_of
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.values import first, required, seconds_or_none, text, whole_or_none
from services.connectors.freeswitch.records import variables_of

BUSY, NO_ANSWER = ("USER_BUSY", "CALL_REJECTED"), ("NO_ANSWER", "NO_USER_RESPONSE", "ALLOTTED_TIMEOUT")
CAUSES = {
    **dict.fromkeys(BUSY, "busy"),
    **dict.fromkeys(NO_ANSWER, "no_answer"),
    **dict.fromkeys(("ORIGINATOR_CANCEL", "LOSE_RACE", "NORMAL_CLEARING"), "cancelled"),
}
PHASES = {
    "cdr": "completed",
    "CHANNEL_HANGUP_COMPLETE": "completed",
    "CHANNEL_CREATE": "ringing",
    "CHANNEL_ANSWER": "answered",
}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an exchange."""

    own_numbers: OwnNumbers = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """HTTP Basic with any user name."""
    try:
        given = base64.b64decode(delivery.headers.get("authorization", "").partition(" ")[2], validate=True).decode()
    except (binascii.Error, ValueError):
        given = ""
    expect_equal(connection.secret, given.partition(":")[2], "password")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the report of a leg. A leg that joins another names the first one, which gives the call its id. The first
    is answered by the exchange: what it says of the answer is of the whole call."""
    said = variables_of(delivery)
    leg, event = required(said, "uuid"), text(said, "event")
    bond = first(said, "signal_bond", "bridge_uuid") if text(said, "direction") == "outbound" else ""
    id = first(said, "originating_leg_uuid", "originator") or next(filter(None, (text(said, "call_uuid"), bond)), leg)
    if id == leg and bond:
        id = bond
    caller, called = first(said, "caller_id_number", "ani"), first(said, "destination_number", "dialed_extension")
    own, country = connection.settings_as(Settings).own_numbers, country_of(connection)
    way = {"inbound": "in", "outbound": "out"}.get(text(said, "direction"), "") if id == leg else ""
    phase, over = PHASES.get(event, event.lower()), event in ("cdr", "CHANNEL_HANGUP_COMPLETE")
    start, answer, end = (moment(said, f"{name}_uepoch") for name in ("start", "answer", "end"))
    end = end or (moment(said, "event_uepoch") if event != "cdr" else None)
    talked = seconds_or_none(said, "billsec") or 0
    cause = text(said, "hangup_cause").upper()
    gave_up = answer or end
    report = partial(
        CallReported,
        call=id,
        phase=phase,
        **sides_of(caller, called, own, country, way, joins=id != leg)._asdict(),
        started_at=start,
        wait_s=(gave_up - start) // 1_000_000 if over and start and gave_up and gave_up >= start else None,
        talk_s=talked if over else None,
        disposition=("answered" if talked else CAUSES.get(cause, "failed")) if over else "",
        recording=first(said, "record_url", "recording_url", "record_path"),
        leg=leg if id != leg or text(said, "direction") == "outbound" else "",
    )
    at = Micros(min(end or delivery.received_at, delivery.received_at))
    yield Report(f"{leg}/{event}/{digest(canonical(said))}", id, at, report)


def moment(said: Tree, name: str) -> Micros | None:
    """Returns microseconds since 1970; None for 0, which FreeSWITCH writes for what never was."""
    found = whole_or_none(said, name)
    return Micros(found) if found and 0 < found < 253_402_300_800_000_000 else None


WEBHOOK = Webhook(verify, parse)
