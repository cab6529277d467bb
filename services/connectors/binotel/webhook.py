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
)
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.phones import read_phone
from services.connectors.call_sides import happened_at
from services.connectors.calls import call_report, elapsed, not_read, unnamed_call
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value, canonical, encode
from services.connectors.formats.meanings import meanings
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, first, seconds_or_none, text, whole_or_none
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
ACCEPTED = Answer(200, b'{"status":"success"}', "application/json")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to a company's telephony."""

    company_id: Annotated[
        str, Meta(description="The company's number at Binotel: deliveries of other companies are refused.")
    ] = ""
    country: Country = ""


def verify(delivery: Delivery, connection: Connection) -> None:
    """Binotel signs nothing: the URL is the proof, and the company's number must match where the settings have one."""
    if company := connection.settings_as(Settings).company_id:
        fields = tree_of(delivery)
        expect_equal(company, first(fields, "companyID") or text(fields, "callDetails", "companyID"), "company")


def tree_of(delivery: Delivery) -> Tree:
    """Returns the fields of the body; empty when it cannot be read."""
    try:
        return read_body(delivery).tree
    except Malformed:
        return {}


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields a report of a call for everything that names a call or a number, also when its kind is unknown."""
    fields = read_body(delivery).tree
    call: Value = fields.get("callDetails") or fields
    kind = text(fields, "requestType") or ("apiCallCompleted" if call is not fields else "")
    id = first(call, "generalCallID", "callID")
    if kind == LOOKUP or not (id or text(call, "externalNumber")):
        if kind in ("", *PHASES):
            raise Malformed("It does not say which call it is about: 'generalCallID' is missing.")
        yield kept("binotel", kind, delivery)
        return
    content = digest(canonical(without_attempts(call)))
    id = id or unnamed_call(content, delivery)
    begin, phase = whole_or_none(call, "startTime"), PHASES.get(kind, kind)
    started = moment_or_none(begin)
    waited, talked = seconds_or_none(call, "waitsec"), seconds_or_none(call, "billsec")
    missing = not_read(call, startTime=0 if begin == 0 else started, waitsec=waited, billsec=talked)
    yield call_report(
        *(id, f"{id}/{kind}/{content}"),
        happened_at(started, elapsed(phase, waited, talked), delivery.received_at),
        phase=phase,
        direction=direction_of(call, kind),
        phone=read_phone(text(call, "externalNumber"), country_of(connection)),
        line=first(call, "didNumber", "did", "pbxNumber") or text(call, "pbxNumberData", "number"),
        employee=first(call, "employeeEmail", "internalNumber") or text(call, "employeeData", "email"),
        started_at=started,
        wait_s=waited,
        talk_s=talked,
        disposition=disposition_of(call),
        recording=first(call, "linkToCallRecordInMyBusiness", "linkToCallRecordOverlayInMyBusiness"),
        utm=utm_of(at(call, "callTrackingData") or at(call, "getCallData")),
        note=missing,
    )


def direction_of(call: Value, kind: str) -> str:
    """Returns "in" or "out". A ring without a direction counts as incoming, so that no caller is overlooked."""
    return DIRECTIONS.get(text(call, "callType").lower(), "in" if kind == "receivedTheCall" else "")


def without_attempts(fields: Value) -> Tree:
    return (
        {name: value for name, value in fields.items() if name not in ATTEMPT_FIELDS}
        if isinstance(fields, dict)
        else {}
    )


def disposition_of(call: Value) -> str:
    """Returns the disposition in our words, or Binotel's word when it has no counterpart."""
    word = text(call, "disposition")
    return DISPOSITIONS.get(word.upper(), word.lower())


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
        return Answer(200, b"{}", "application/json")
    shown = {"name": caller.name, "description": caller.note, "assignedToEmployeeEmail": caller.owner_email}
    data = {"customerData": {name: value for name, value in shown.items() if value}}
    return Answer(200, encode(data).encode(), "application/json")


WEBHOOK = Webhook(verify, parse, lambda *_: ACCEPTED, lookup=CallerLookup(looked_up, tell))
