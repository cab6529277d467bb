"""Calls that a mobile phone or a program of one's own tells about, in the JSON of this folder's README."""

from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.call_sides import happened_at
from services.connectors.calls import call_report, clock_of, unnamed_call
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import texts_at
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import text, whole_or_none
from services.connectors.signatures.basic import expect_bearer
from services.connectors.signatures.hmac_sha256 import verify_timed

SIGNATURE = "x-signature"
PHASES = meanings(ringing="ring", answered="answer", transferred="transfer", completed="end missed")
DIRECTIONS = meanings(**{"in": "in incoming inbound", "out": "out outgoing outbound"})


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a telephone."""

    country: Country = ""
    timezone: Timezone = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Checks the signature `t=...,v1=...`, or the secret itself of a telephone that cannot sign."""
    if SIGNATURE in delivery.headers:
        verify_timed(delivery, connection.secret, SIGNATURE, delivery.body, "v1")
    else:
        expect_bearer(delivery, connection)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    call = read_body(delivery).tree
    kind, phone = text(call, "phase").lower(), text(call, "phone")
    id, content = text(call, "call"), digest(canonical(call))
    if not (id or phone):
        raise Malformed("It says neither 'call' nor 'phone', so it cannot be known which call it is about.")
    id = id or unnamed_call(content, delivery)
    phase = PHASES.get(kind, kind) or "ringing"
    started = moment(call, "started_at", connection)
    clock = clock_of(call, started, "started_at", "wait_s", "talk_s")
    comes_in = phase == "ringing" or kind == "missed"
    disposition = text(call, "disposition").lower() or ("no_answer" if kind == "missed" else "")
    waited, talked = clock.wait_s or 0, clock.talk_s or 0
    lasted = (0 if phase == "ringing" else waited) + (talked if phase in ("hung_up", "completed") else 0)
    when = moment(call, "at", connection) or happened_at(started, lasted, delivery.received_at)
    yield call_report(
        *(id, f"{id}/{kind}/{content}", when),
        phase=phase,
        direction=DIRECTIONS.get(text(call, "direction").lower(), "in" if comes_in else ""),
        phone=read_phone(phone, country_of(connection)),
        disposition=disposition or ("answered" if talked else ""),
        **texts_at(call, line="line", employee="employee", recording="recording", leg="leg"),
        **clock._asdict(),
    )


def moment(call: Tree, name: str, connection: Connection) -> Micros | None:
    """Returns a time in ISO 8601 or in seconds since 1970; None when there is none that can be read."""
    number = whole_or_none(call, name)
    return local_moment(text(call, name), connection) if number is None else moment_or_none(number)


WEBHOOK = Webhook(verify, parse)
