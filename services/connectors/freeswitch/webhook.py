"""FreeSWITCH: one record of each leg (https://developer.signalwire.com/freeswitch, mod_json_cdr, event socket)."""

from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.scalars import Micros
from services.connectors.call_sides import OwnNumbers, sides_of
from services.connectors.calls import call_report
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import first, required, seconds_or_none, text, whole_or_none
from services.connectors.freeswitch.records import variables_of
from services.connectors.signatures.basic import verify_password

CAUSES = meanings(
    busy="USER_BUSY CALL_REJECTED",
    no_answer="NO_ANSWER NO_USER_RESPONSE ALLOTTED_TIMEOUT",
    cancelled="ORIGINATOR_CANCEL LOSE_RACE NORMAL_CLEARING",
)
PHASES = meanings(ringing="CHANNEL_CREATE", answered="CHANNEL_ANSWER", completed="cdr CHANNEL_HANGUP_COMPLETE")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an exchange."""

    own_numbers: OwnNumbers = ""
    country: Country = ""


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
    at = Micros(min(end or delivery.received_at, delivery.received_at))
    yield call_report(
        *(id, f"{leg}/{event}/{digest(canonical(said))}", at),
        phase=phase,
        **sides_of(caller, called, own, country, way, joins=id != leg)._asdict(),
        started_at=start,
        wait_s=(gave_up - start) // 1_000_000 if over and start and gave_up and gave_up >= start else None,
        talk_s=talked if over else None,
        disposition=("answered" if talked else CAUSES.get(cause, "failed")) if over else "",
        recording=first(said, "record_url", "recording_url", "record_path"),
        leg=leg if id != leg or text(said, "direction") == "outbound" else "",
    )


def moment(said: Tree, name: str) -> Micros | None:
    """Returns microseconds since 1970; None for 0, which FreeSWITCH writes for what never was."""
    found = whole_or_none(said, name)
    return Micros(found) if found and 0 < found < 253_402_300_800_000_000 else None


WEBHOOK = Webhook(verify_password, parse)
