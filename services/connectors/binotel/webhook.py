"""Binotel: the phases of a call, from the first ring to the recording (https://developers.binotel.ua)."""

from collections.abc import Iterator
from functools import partial
from typing import Annotated, NamedTuple

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
from crm.facts import CallReported, DeliveryKept
from crm.phones import read_phone
from crm.scalars import Micros
from services.connectors.formats.bodies import read_body
from services.connectors.formats.exact_json import Tree, Value, canonical, encode
from services.connectors.formats.times import moment_or_none
from services.connectors.formats.values import at, first, seconds_or_none, text, unreadable, whole_or_none
from services.connectors.repeats import WINDOW, content_key

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
        kept = partial(DeliveryKept, connector="binotel", kind=kind)
        yield Report(content_key(kind, delivery), "", delivery.received_at, kept)
        return
    content = digest(canonical(without_attempts(call)))
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
    """Returns "in" or "out". A ring without a direction counts as incoming, so that no caller is overlooked."""
    return DIRECTIONS.get(text(call, "callType").lower(), "in" if kind == "receivedTheCall" else "")


def without_attempts(fields: Value) -> Tree:
    return (
        {name: value for name, value in fields.items() if name not in ATTEMPT_FIELDS}
        if isinstance(fields, dict)
        else {}
    )


class Clock(NamedTuple):
    """The times of a report; None for a time that is missing or cannot be read."""

    started: Micros | None
    waited: int | None
    talked: int | None

    def happened_at(self, phase: str, received_at: Micros) -> Micros:
        """Returns when the report's phase happened. Details of a call come when it is over, so its own clock counts."""
        if self.started is None:
            return received_at
        lasted = 0 if phase == "ringing" else self.waited or 0
        lasted += 0 if phase in ("ringing", "answered") else self.talked or 0
        return max(self.started, Micros(min(self.started + lasted * 1_000_000, received_at)))


def clock_of(call: Value) -> tuple[Clock, str]:
    """Returns the times, and a sentence on those that could not be read. The call is taken without them."""
    begin = whole_or_none(call, "startTime")
    clock = Clock(moment_or_none(begin), seconds_or_none(call, "waitsec"), seconds_or_none(call, "billsec"))
    missing = [name for name, found in zip(TIMES, clock, strict=True) if found is None]
    return clock, unreadable(call, *(name for name in missing if name != "startTime" or begin != 0))


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
