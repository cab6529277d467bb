"""Binotel: how far a call is, from the first ring to the record of it (https://developers.binotel.ua)."""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from crm.connector import Answer, Connection, Connector, Delivery, Report, country_of, digest, expect_equal
from crm.errors import Malformed
from crm.facts import CallReported, DeliveryKept
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.form.repeats import WINDOW, of_content
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value, canonical
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, first, seconds_or_none, text, unreadable, whole_or_none

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
DIRECTIONS = {"0": "in", "1": "out", "incoming": "in", "outgoing": "out", "in": "in", "out": "out"}
TIMES = ("startTime", "waitsec", "billsec")
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
    """Whatever names a call or a number is a report of a call, also where its kind is not known."""
    told = read_body(delivery).tree
    call: Value = told.get("callDetails") or told
    kind = text(told, "requestType") or ("apiCallCompleted" if call is not told else "")
    id = first(call, "generalCallID", "callID")
    if kind == SETTINGS or not (id or text(call, "externalNumber")):
        if kind in ("", *PHASES):
            raise Malformed("It does not say which call it is about: 'generalCallID' is missing.")
        kept = partial(DeliveryKept, connector="binotel", kind=kind)
        yield Report(of_content(kind, delivery), "", delivery.received_at, kept)
        return
    content = digest(canonical(without_its_try(call)))
    id = id or f"unnamed/{content[:16]}/{delivery.received_at // WINDOW}"
    clock, note = clock_of(call)
    phase = PHASES.get(kind, kind)
    report = partial(
        CallReported,
        call=id,
        phase=phase,
        direction=direction_of(call, kind),
        phone=read_phone(text(call, "externalNumber"), country_of(connection)),
        line=first(call, "didNumber", "did", "pbxNumber") or text(call, "pbxNumberData", "number"),
        employee=first(call, "employeeEmail", "internalNumber") or text(call, "employeeData", "email"),
        started_at=clock.started,
        wait_s=clock.waited,
        talk_s=clock.talked,
        disposition=disposition_of(call),
        recording=first(call, "linkToCallRecordInMyBusiness", "linkToCallRecordOverlayInMyBusiness"),
        utm=utm_of(at(call, "callTrackingData") or at(call, "getCallData")),
        note=note,
    )
    yield Report(f"{id}/{kind}/{content}", id, clock.happened_at(phase, delivery.received_at), report)


def direction_of(call: Value, kind: str) -> str:
    """A ring that says nothing else is one at ours: who waits for an answer is not left unseen."""
    return DIRECTIONS.get(text(call, "callType").lower(), "in" if kind == "receivedTheCall" else "")


def without_its_try(told: Value) -> Tree:
    return {name: value for name, value in told.items() if name not in OF_A_TRY} if isinstance(told, dict) else {}


class Clock(NamedTuple):
    """What a report says of times; None where it says nothing that can be read."""

    started: Micros | None
    waited: int | None
    talked: int | None

    def happened_at(self, phase: str, received_at: Micros) -> Micros:
        """Of the report, by the call's own clock where it has one: the details of a call come when it is over."""
        if self.started is None:
            return received_at
        lasted = 0 if phase == "ringing" else self.waited or 0
        lasted += 0 if phase in ("ringing", "answered") else self.talked or 0
        return max(self.started, Micros(min(self.started + lasted * 1_000_000, received_at)))


def clock_of(call: Value) -> tuple[Clock, str]:
    """And what could not be read: it is kept raw, and the call is taken without it."""
    begin = whole_or_none(call, "startTime")
    clock = Clock(moment_or_none(begin), seconds_or_none(call, "waitsec"), seconds_or_none(call, "billsec"))
    missing = [name for name, found in zip(TIMES, clock, strict=True) if found is None]
    return clock, unreadable(call, *(name for name in missing if name != "startTime" or begin != 0))


def disposition_of(call: Value) -> str:
    """Binotel's own word where it is none of ours."""
    told = text(call, "disposition")
    return DISPOSITIONS.get(told.upper(), told.lower())


def utm_of(tracked: Value) -> dict[str, str]:
    """Without what the tracker writes when it knows nothing: "(not set)", "(not provided)"."""
    names = [name for name in tracked if name.startswith("utm_")] if isinstance(tracked, dict) else []
    return {name[4:]: value for name in names if (value := text(tracked, name)) and not value.startswith("(not ")}


def answer(delivery: Delivery, connection: Connection) -> Answer:
    return NOBODY_KNOWN if text(told_in(delivery), "requestType") == SETTINGS else TAKEN


CONNECTOR = Connector("binotel", "calls", verify, parse, answer)
