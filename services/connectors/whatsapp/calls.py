"""Calls over WhatsApp (https://developers.facebook.com/docs/whatsapp/cloud-api/calling)."""

from functools import partial

from crm.connector import Report
from crm.facts import CallReported
from services.connectors.chat import Channel, international
from services.connectors.formats.exact_json import Tree, Value
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import first, records, required, seconds_or_none, text, whole_or_none

PHASES = {"connect": "ringing", "terminate": "completed"}
DIRECTIONS = {"USER_INITIATED": "in", "BUSINESS_INITIATED": "out"}
DISPOSITIONS = {"COMPLETED": "answered", "FAILED": "failed", "REJECTED": "no_answer"}


def call_report(channel: Channel, value: Value, country: str, call: Tree) -> list[Report]:
    """Returns one report. The customer is the change's contact, else the end of the call that is not ours."""
    id, event = required(call, "id"), required(call, "event")
    direction, phase = DIRECTIONS.get(text(call, "direction"), ""), PHASES.get(event, event)
    known = next((text(one, "wa_id") for one in records(value, "contacts") if text(one, "wa_id")), "")
    end = known or first(call, *(("to", "from") if direction == "out" else ("from", "to")))
    moment = moment_or_none(whole_or_none(call, "timestamp"))
    fact = partial(
        CallReported,
        call=id,
        phase=phase,
        direction=direction,
        phone=international(end, country),
        line=text(value, "metadata", "display_phone_number"),
        started_at=moment_or_none(whole_or_none(call, "start_time")) or (moment if phase == "ringing" else None),
        talk_s=seconds_or_none(call, "duration"),
        disposition=DISPOSITIONS.get(text(call, "status"), text(call, "status").lower()),
    )
    return [Report(f"call/{id}/{event}", id, moment or channel.delivery.received_at, fact)]
