"""Calls that a mobile phone or a program of one's own tells about, in the JSON of this folder's README."""

import hmac
import re
from collections.abc import Iterator
from functools import partial

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest, expect_equal, expect_fresh
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.facts import CallReported
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.call_sides import happened_at
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import seconds_or_none, text, unreadable, whole_or_none
from services.connectors.repeats import WINDOW

SIGNATURE = re.compile(r"t=(\d{1,12}),v1=([0-9a-f]{64})")
PHASES = {"ring": "ringing", "answer": "answered", "transfer": "transferred", "end": "completed", "missed": "completed"}
DIRECTIONS = {"in": "in", "incoming": "in", "inbound": "in", "out": "out", "outgoing": "out", "outbound": "out"}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a telephone."""

    country: Country = ""
    timezone: Timezone = ""


def sign(secret: str, sent_at: int, body: bytes) -> str:
    """Returns the header X-Signature of a body that is sent at so many seconds since 1970."""
    return f"t={sent_at},v1={hmac.digest(secret.encode(), b'%d.%b' % (sent_at, body), 'sha256').hex()}"


def verify(delivery: Delivery, connection: Connection) -> None:
    if "x-signature" not in delivery.headers:  # a telephone that cannot sign
        expect_equal(f"Bearer {connection.secret}", delivery.headers.get("authorization", ""), "secret of the header")
        return
    given = delivery.headers["x-signature"]
    found = SIGNATURE.fullmatch(given)
    sent_at = int(found[1]) if found else 0
    expect_equal(sign(connection.secret, sent_at, delivery.body), given)
    expect_fresh(Micros(sent_at * 1_000_000), delivery.received_at)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    call = read_body(delivery).tree
    kind, phone = text(call, "phase").lower(), text(call, "phone")
    id, content = text(call, "call"), digest(canonical(call))
    if not (id or phone):
        raise Malformed("It says neither 'call' nor 'phone', so it cannot be known which call it is about.")
    id = id or f"unnamed/{content[:16]}/{delivery.received_at // WINDOW}"
    phase = PHASES.get(kind, kind) or "ringing"
    started = moment(call, "started_at", connection)
    waited, talked = seconds_or_none(call, "wait_s"), seconds_or_none(call, "talk_s")
    comes_in = phase == "ringing" or kind == "missed"
    read = {"started_at": started, "wait_s": waited, "talk_s": talked}
    disposition = text(call, "disposition").lower() or ("no_answer" if kind == "missed" else "")
    report = partial(
        CallReported,
        call=id,
        phase=phase,
        direction=DIRECTIONS.get(text(call, "direction").lower(), "in" if comes_in else ""),
        phone=read_phone(phone, country_of(connection)),
        line=text(call, "line"),
        employee=text(call, "employee"),
        started_at=started,
        wait_s=waited,
        talk_s=talked,
        disposition=disposition or ("answered" if talked else ""),
        recording=text(call, "recording"),
        leg=text(call, "leg"),
        note=unreadable(call, *(name for name, found in read.items() if found is None)),
    )
    lasted = (0 if phase == "ringing" else waited or 0) + (talked or 0 if phase in ("hung_up", "completed") else 0)
    when = moment(call, "at", connection) or happened_at(started, lasted, delivery.received_at)
    yield Report(f"{id}/{kind}/{content}", id, when, report)


def moment(call: Tree, name: str, connection: Connection) -> Micros | None:
    """Returns a time in ISO 8601 or in seconds since 1970; None when there is none that can be read."""
    number = whole_or_none(call, name)
    return local_moment(text(call, name), connection) if number is None else moment_or_none(number)


WEBHOOK = Webhook(verify, parse)
