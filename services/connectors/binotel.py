"""Binotel: how far a call is, from the first ring to the record of it (https://developers.binotel.ua)."""

from collections.abc import Iterator
from functools import partial

from crm.connector import Answer, Connection, Connector, Delivery, Report, country_of, digest, expect_equal
from crm.errors import Malformed
from crm.facts import CallReported, DeliveryKept
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.bodies import read_body
from services.connectors.exact_json import Tree, Value, canonical
from services.connectors.repeats import WINDOW, of_content
from services.connectors.times import moment_or_none
from services.connectors.values import at, first, seconds_or_none, text, unreadable, whole_or_none

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
OF_A_TRY = ("attemptsCounter", "callDetails")  # a report that is sent again counts its tries
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
    """A report of a kind that is not known and names a call or a number is one of that call."""
    told = read_body(delivery).tree
    call: Value = told.get("callDetails") or told
    kind = text(told, "requestType") or ("apiCallCompleted" if call is not told else "")
    id = first(call, "generalCallID", "callID")
    if kind == SETTINGS or not (id or (kind not in PHASES and text(call, "externalNumber"))):
        if kind in ("", *PHASES):
            raise Malformed("It does not say which call it is about: 'generalCallID' is missing.")
        kept = partial(DeliveryKept, connector="binotel", kind=kind)
        yield Report(of_content(kind, delivery), "", delivery.received_at, kept)
        return
    content = digest(canonical([without_its_try(told), without_its_try(call)]))
    id = id or f"unnamed/{content[:16]}/{delivery.received_at // WINDOW}"
    report = partial(
        CallReported,
        call=id,
        phase=PHASES.get(kind, kind),
        direction=DIRECTIONS.get(text(call, "callType"), ""),
        phone=read_phone(text(call, "externalNumber"), country_of(connection)),
        line=first(call, "didNumber", "did", "pbxNumber") or text(call, "pbxNumberData", "number"),
        employee=first(call, "employeeEmail", "internalNumber") or text(call, "employeeData", "email"),
        started_at=moment_or_none(whole_or_none(call, "startTime")),
        wait_s=seconds_or_none(call, "waitsec"),
        talk_s=seconds_or_none(call, "billsec"),
        disposition=disposition_of(call),
        recording=first(call, "linkToCallRecordInMyBusiness", "linkToCallRecordOverlayInMyBusiness"),
        utm=utm_of(at(call, "callTrackingData") or at(call, "getCallData")),
        note=note_of(call),
    )
    yield Report(f"{id}/{kind}/{content}", id, happened_at(call, PHASES.get(kind, kind), delivery.received_at), report)


def without_its_try(told: Value) -> Tree:
    return {name: value for name, value in told.items() if name not in OF_A_TRY} if isinstance(told, dict) else {}


def happened_at(call: Value, phase: str, received_at: Micros) -> Micros:
    """Of a report, by the call's own clock where it has one: the details of a call come when it is over."""
    started = moment_or_none(whole_or_none(call, "startTime"))
    if started is None:
        return received_at
    waited, talked = (seconds_or_none(call, name) or 0 for name in ("waitsec", "billsec"))
    lasted = {"ringing": 0, "answered": waited}.get(phase, waited + talked)
    return max(started, Micros(min(started + lasted * 1_000_000, received_at)))


def disposition_of(call: Value) -> str:
    """Binotel's own word where it is none of ours."""
    told = text(call, "disposition")
    return DISPOSITIONS.get(told.upper(), told.lower())


def note_of(call: Value) -> str:
    """What could not be read: it is kept raw, and the call is taken without it."""
    lengths = [name for name in ("waitsec", "billsec") if seconds_or_none(call, name) is None]
    moments = [name for name in ("startTime",) if whole_or_none(call, name) != 0]
    moments = [name for name in moments if moment_or_none(whole_or_none(call, name)) is None]
    return unreadable(call, *moments, *lengths)


def utm_of(tracked: Value) -> dict[str, str]:
    """Without what the tracker writes when it knows nothing: "(not set)", "(not provided)"."""
    names = [name for name in tracked if name.startswith("utm_")] if isinstance(tracked, dict) else []
    return {name[4:]: value for name in names if (value := text(tracked, name)) and not value.startswith("(not ")}


def answer(delivery: Delivery, connection: Connection) -> Answer:
    return NOBODY_KNOWN if text(told_in(delivery), "requestType") == SETTINGS else TAKEN


CONNECTOR = Connector("binotel", "calls", verify, parse, answer)
