"""Ringostat: calls and where their callers came from (https://help.ringostat.com, Webhooks 2.0)."""

from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest, expect_equal
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.phones import read_phone
from services.connectors.call_sides import NOBODY
from services.connectors.calls import call_report, clock_of
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.values import first, text

PHASES = {"before_call": "ringing", "answer": "answered", "forwarding": "transferred", "after_call": "completed"}
DIRECTIONS = {"out": "out", "outgoing": "out", "internal": ""}  # all others call in, also who ordered a call back
DISPOSITIONS = {
    **dict.fromkeys(("ANSWERED", "PROPER", "REPEATED", "TARGET"), "answered"),
    **dict.fromkeys(("NO ANSWER", "NO-ANSWER", "NOANSWER"), "no_answer"),
}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a company's telephony."""

    country: Country = ""
    timezone: Timezone = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    expect_equal(connection.secret, delivery.parameters.get("token", ""), "token of the URL")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields the report of a call. People choose the names of its parameters: ours are in the README."""
    said: Tree = {name: value for name, value in delivery.parameters.items() if name != "token"}
    call = said | (read_body(delivery).tree if delivery.body.strip() else {})
    id, country = first(call, "uniqueid", "call_id"), country_of(connection)
    if not id:
        raise Malformed("It does not say which call it is about: the parameter 'uniqueid' is missing.")
    kind, word = text(call, "event").lower(), text(call, "disposition").upper()
    phase = PHASES.get(kind, kind) or ("completed" if word else "ringing")
    way = text(call, "call_type").lower()
    direction, internal = DIRECTIONS.get(way, "in"), way == "internal"
    started = local_moment(text(call, "calldate"), connection)
    clock = clock_of(call, started, "calldate", "waittime", "billsec")
    sides = ("dst", "caller") if direction == "out" else ("caller", "dst")
    yield call_report(
        *(id, f"{id}/{phase}/{digest(canonical(call))}", clock.at(phase, delivery.received_at)),
        phase=phase,
        direction=direction,
        phone=NOBODY if internal else read_phone(text(call, sides[0]), country),
        line="" if internal else text(call, sides[1]),
        employee=first(call, "employee_email", "employee_number", "employee_fio"),
        disposition=DISPOSITIONS.get(word, word.lower()),
        recording=text(call, "recording"),
        utm={name[4:]: value for name in call if name.startswith("utm_") and (value := text(call, name))},
        internal=internal,
        **clock._asdict(),
    )


WEBHOOK = Webhook(verify, parse)
