"""Given the reports of one call, then each says how far it is."""

import pytest

from crm.connector import Answer
from crm.errors import Refused
from crm.facts import CallReported, DeliveryKept
from services.connectors import CONNECTORS
from services.connectors.rehearse import binotel_call, form
from tests.unit.connectors.stage import NOW, connection, delivery, only, receive

PBX = connection("binotel")


def test_a_call_rings_before_anyone_answers() -> None:
    fact = only(PBX, binotel_call("receivedTheCall", 612, "0671234567", didNumber="0443334455"))
    assert isinstance(fact, CallReported)
    assert (fact.call, fact.phase, fact.direction) == ("612", "ringing", "in")
    assert (fact.phone.text, fact.phone.e164, fact.line) == ("0671234567", "+380671234567", "0443334455")
    assert (fact.started_at, fact.talk_s, fact.disposition) == (None, None, "")
    assert fact.meta.occurred_at == NOW


@pytest.mark.parametrize(
    ("kind", "phase"),
    [("answeredTheCall", "answered"), ("transferredTheCall", "transferred"), ("apiCallCompleted", "completed")],
)
def test_its_later_reports(kind: str, phase: str) -> None:
    fact = only(PBX, binotel_call(kind, 612, "0671234567", internalNumber="901", billsec="73"))
    assert (fact.phase, fact.employee, fact.talk_s) == (phase, "901", 73)


def test_a_hang_up_tells_neither_number_nor_direction() -> None:
    post = form({"requestType": "hangupTheCall", "generalCallID": "612", "billsec": "0", "disposition": "CANCEL"})
    fact = only(PBX, post)
    assert (fact.phase, fact.disposition, fact.talk_s) == ("hung_up", "cancelled", 0)
    assert (fact.phone.e164, fact.direction) == ("", "")


@pytest.mark.parametrize(
    ("said", "disposition"),
    [
        ("ANSWER", "answered"),
        ("BUSY", "busy"),
        ("NOANSWER", "no_answer"),
        ("CHANUNAVAIL", "failed"),
        ("VM-SUCCESS", "voicemail"),
        ("SMS-SENT", ""),
    ],
)
def test_how_it_ended(said: str, disposition: str) -> None:
    assert only(PBX, binotel_call("apiCallCompleted", 612, "0671234567", disposition=said)).disposition == disposition


def test_a_call_out() -> None:
    assert only(PBX, binotel_call("receivedTheCall", 612, "0671234567", callType=1)).direction == "out"


def test_a_retry_is_the_same_report_and_each_hand_over_its_own() -> None:
    first, retry = (binotel_call("apiCallCompleted", 612, "0671234567", attemptsCounter=n) for n in (1, 2))
    assert only(PBX, first).meta.id == only(PBX, retry, NOW + 600_000_000).meta.id
    to_901, to_902 = (binotel_call("transferredTheCall", 612, "0671234567", internalNumber=n) for n in (901, 902))
    assert only(PBX, to_901).meta.id != only(PBX, to_902).meta.id
    assert only(PBX, first).meta.stream == only(PBX, to_901).meta.stream


def test_who_is_calling_is_asked_in_json_and_all_else_is_told_success() -> None:
    binotel, asked = CONNECTORS["binotel"], form({"requestType": "apiCallSettings", "externalNumber": "0671234567"})
    assert isinstance(only(PBX, asked), DeliveryKept)
    assert binotel.answer(delivery(asked), PBX) == Answer(200, b"{}", "application/json")
    for post in (binotel_call("receivedTheCall", 612, "0671234567"), form({"requestType": "new"}), form({"a": "\0"})):
        assert binotel.answer(delivery(post), PBX) == Answer(200, b'{"status":"success"}', "application/json")


@pytest.mark.parametrize(("field", "value"), [("billsec", "-1"), ("billsec", "2147483648"), ("startTime", "soon")])
def test_a_length_that_is_none_is_quarantined(field: str, value: str) -> None:
    fact = only(PBX, binotel_call("apiCallCompleted", 612, "0671234567", **{field: value}))
    assert f"'{field}'" in fact.reason


def test_another_company_is_refused() -> None:
    own = connection("binotel", company_id="1")
    assert only(own, binotel_call("receivedTheCall", 612, "0671234567")).call == "612"
    assert only(own, binotel_call("apiCallCompleted", 612, "0671234567")).call == "612"
    with pytest.raises(Refused, match="company does not match"):
        receive(own, binotel_call("receivedTheCall", 612, "0671234567", companyID=2))
