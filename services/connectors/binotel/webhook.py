"""Binotel: the phases of a call, from the first ring to the recording (https://developers.binotel.ua)."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Meta, Struct

from crm.connector import (
    Answer,
    Caller,
    CallerLookup,
    Connection,
    Delivery,
    Report,
    Webhook,
    country_of,
    digest,
    expect_equal,
    json_answer,
)
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.phones import read_phone
from services.connectors.calls import call_report, clock_of, unnamed_call
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value, canonical, object_or_empty
from services.connectors.formats.meanings import meanings
from services.connectors.formats.places import text_at, texts_at
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, text, whole_or_none
from services.connectors.repeats import kept

PHASES = meanings(
    ringing="receivedTheCall",
    answered="answeredTheCall",
    transferred="transferredTheCall",
    hung_up="hangupTheCall",
    completed="apiCallCompleted",
)
DISPOSITIONS = meanings(
    answered="ANSWER TRANSFER ONLINE",
    failed="CONGESTION CHANUNAVAIL",
    voicemail="VM VM-SUCCESS",
    no_answer="NOANSWER",
    busy="BUSY",
    cancelled="CANCEL",
)
DIRECTIONS = meanings(**{"in": "0 incoming in", "out": "1 outgoing out"})
LOOKUP = "apiCallSettings"  # it asks who is calling and waits for the answer
ATTEMPT_FIELDS = ("attemptsCounter", "callDetails")  # a report that is sent again counts its tries
ACCEPTED = json_answer({"status": "success"})
PLACES = {
    "line": "didNumber | did | pbxNumber | pbxNumberData.number",
    "employee": "employeeEmail | internalNumber | employeeData.email",
    "recording": "linkToCallRecordInMyBusiness | linkToCallRecordOverlayInMyBusiness",
}


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a company's telephony."""

    company_id: Annotated[
        str, Meta(description="The company's number at Binotel: deliveries of other companies are refused.")
    ] = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Binotel signs nothing: the URL is the proof, and the company's number must match where the settings have one."""
    if company := connection.settings_as(Settings).company_id:
        expect_equal(company, text_at(tree_of(delivery), "companyID | callDetails.companyID"), "company")


def tree_of(delivery: Delivery) -> Tree:
    return object_or_empty(lambda: read_body(delivery).tree)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields a report of a call for everything that names a call or a number, also when its kind is unknown."""
    fields = read_body(delivery).tree
    call: Value = fields.get("callDetails") or fields
    kind = text(fields, "requestType") or ("apiCallCompleted" if call is not fields else "")
    id, number = text_at(call, "generalCallID | callID"), text(call, "externalNumber")
    if kind == LOOKUP or not (id or number):
        if kind in ("", *PHASES):
            raise Malformed("It does not say which call it is about: 'generalCallID' is missing.")
        yield kept("binotel", kind, delivery)
        return
    content = digest(canonical(without_attempts(call)))
    id = id or unnamed_call(content, delivery)
    begin, phase = whole_or_none(call, "startTime"), PHASES.get(kind, kind)
    clock = clock_of(call, moment_or_none(begin), "" if begin == 0 else "startTime", "waitsec", "billsec")
    word, way = text(call, "disposition"), text(call, "callType").lower()
    yield call_report(
        *(id, f"{id}/{kind}/{content}", clock.at(phase, delivery.received_at)),
        phase=phase,
        direction=DIRECTIONS.get(way, "in" if phase == "ringing" else ""),  # so that no caller is overlooked
        phone=read_phone(number, country_of(connection)),
        disposition=DISPOSITIONS.get(word.upper(), word.lower()),
        utm=utm_of(at(call, "callTrackingData") or at(call, "getCallData")),
        **texts_at(call, **PLACES),
        **clock._asdict(),
    )


def without_attempts(fields: Value) -> Tree:
    known = fields if isinstance(fields, dict) else {}
    return {name: value for name, value in known.items() if name not in ATTEMPT_FIELDS}


def utm_of(tracked: Value) -> dict[str, str]:
    """Returns the UTM labels, without the tracker's placeholders "(not set)" and "(not provided)"."""
    names = [name for name in tracked if name.startswith("utm_")] if isinstance(tracked, dict) else []
    return {name[4:]: value for name in names if (value := text(tracked, name)) and not value.startswith("(not ")}


def looked_up(delivery: Delivery, _connection: Connection) -> str | None:
    fields = tree_of(delivery)
    return text(fields, "externalNumber") if text(fields, "requestType") == LOOKUP else None


def tell(caller: Caller | None) -> Answer:
    """Returns what Binotel shows on the telephone while it rings."""
    if caller is None:
        return json_answer({})
    shown = {"name": caller.name, "description": caller.note, "assignedToEmployeeEmail": caller.owner_email}
    return json_answer({"customerData": {name: value for name, value in shown.items() if value}})


WEBHOOK = Webhook(verify, parse, lambda *_: ACCEPTED, lookup=CallerLookup(looked_up, tell))
