"""Binotel: how far a call is, from the first ring to the record of it (https://developers.binotel.ua)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Answer, Connection, Connector, Delivery, Report, country_of, expect_equal
from crm.errors import Malformed
from crm.facts import CallReported, DeliveryKept
from crm.phones import read_phone
from services.connectors.bodies import read_body
from services.connectors.exact_json import Tree, Value
from services.connectors.repeats import of_content
from services.connectors.times import from_seconds
from services.connectors.values import at, first, required, seconds, text, whole

PHASES = {
    "receivedTheCall": "ringing",
    "answeredTheCall": "answered",
    "transferredTheCall": "transferred",
    "hangupTheCall": "hung_up",
    "apiCallCompleted": "completed",
}
DISPOSITIONS = {
    **dict.fromkeys(("ANSWER", "TRANSFER", "ONLINE"), "answered"),
    **dict.fromkeys(("CONGESTION", "CHANUNAVAIL"), "failed"),
    **dict.fromkeys(("VM", "VM-SUCCESS"), "voicemail"),
    "NOANSWER": "no_answer",
    "BUSY": "busy",
    "CANCEL": "cancelled",
}
DIRECTIONS = {"0": "in", "1": "out"}
SETTINGS = "apiCallSettings"  # it asks who is calling and waits for the answer
TAKEN = Answer(200, b'{"status":"success"}', "application/json")
NOBODY_KNOWN = Answer(200, b"{}", "application/json")


def verify(delivery: Delivery, connection: Connection) -> None:
    """Binotel signs nothing: the address is the secret, and the company's number, when set, has to be right."""
    if company := connection.settings.get("company_id"):
        told = told_in(delivery)
        expect_equal(company, first(told, "companyID") or text(told, "callDetails", "companyID"), "company")


def told_in(delivery: Delivery) -> Tree:
    """Empty where it cannot be read."""
    try:
        return read_body(delivery).tree
    except Malformed:
        return {}


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    told = read_body(delivery).tree
    kind = required(told, "requestType")
    if kind not in PHASES:
        kept = partial(DeliveryKept, connector="binotel", kind=kind)
        yield Report(of_content(kind, delivery), "", delivery.received_at, kept)
        return
    call: Value = told.get("callDetails") or told
    id, started = required(call, "generalCallID"), whole(call, "startTime")
    # A call may be handed on more than once.
    key = f"{id}/{kind}/{text(call, 'internalNumber')}" if kind == "transferredTheCall" else f"{id}/{kind}"
    tracked = at(call, "callTrackingData") or at(call, "getCallData")
    report = partial(
        CallReported,
        call=id,
        phase=PHASES[kind],
        direction=DIRECTIONS.get(text(call, "callType"), ""),
        phone=read_phone(text(call, "externalNumber"), country_of(connection)),
        line=first(call, "didNumber", "did", "pbxNumber") or text(call, "pbxNumberData", "number"),
        employee=first(call, "employeeEmail", "internalNumber") or text(call, "employeeData", "email"),
        started_at=from_seconds(started) if started else None,
        wait_s=seconds(call, "waitsec"),
        talk_s=seconds(call, "billsec"),
        disposition=DISPOSITIONS.get(text(call, "disposition"), ""),
        recording=first(call, "linkToCallRecordInMyBusiness", "linkToCallRecordOverlayInMyBusiness"),
        utm=utm_of(tracked),
    )
    yield Report(key, id, from_seconds(started) if started else delivery.received_at, report)


def utm_of(tracked: Value) -> dict[str, str]:
    """Without what the tracker writes when it knows nothing: "(not set)", "(not provided)"."""
    names = [name for name in tracked if name.startswith("utm_")] if isinstance(tracked, dict) else []
    return {name[4:]: value for name in names if (value := text(tracked, name)) and not value.startswith("(not ")}


def answer(delivery: Delivery, connection: Connection) -> Answer:
    return NOBODY_KNOWN if text(told_in(delivery), "requestType") == SETTINGS else TAKEN


CONNECTOR = Connector("binotel", "calls", verify, parse, answer)
