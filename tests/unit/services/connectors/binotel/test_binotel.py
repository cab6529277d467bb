"""Given the reports of one call, then each says how far it is."""

import json

import pytest

from crm.connector import Answer, Caller
from crm.errors import Refused
from crm.facts import CallReported, DeliveryKept
from services.connectors import CONNECTORS
from tests.support.connector_deliveries import NOW, connection, delivery, only, receive
from tests.support.rehearse import binotel_call, form

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
        ("answer", "answered"),
        ("SMS-SENT", "sms-sent"),  # a word that is not known is kept
        ("", ""),
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


def test_a_lookup_is_answered_in_json_and_everything_else_with_success() -> None:
    binotel, lookup = CONNECTORS["binotel"], form({"requestType": "apiCallSettings", "externalNumber": "0671234567"})
    assert isinstance(only(PBX, lookup), DeliveryKept)
    looks = binotel.webhook.lookup
    assert looks.number(delivery(lookup), PBX) == "0671234567"
    assert looks.answer(None) == Answer(200, b"{}", "application/json")
    olena = Caller("Олена Вигадана", "Ірина", "iryna@example.com", "D-7 Двері")
    shown = {"name": "Олена Вигадана", "description": "D-7 Двері", "assignedToEmployeeEmail": "iryna@example.com"}
    assert json.loads(looks.answer(olena).body) == {"customerData": shown}
    for post in (binotel_call("receivedTheCall", 612, "0671234567"), form({"requestType": "new"}), form({"a": "\0"})):
        accepted = Answer(200, b'{"status":"success"}', "application/json")
        assert binotel.webhook.answer(delivery(post), PBX, []) == accepted
        assert looks.number(delivery(post), PBX) is None


@pytest.mark.parametrize(
    ("field", "value"), [("billsec", "-1"), ("billsec", "2147483648"), ("billsec", "1:70"), ("startTime", "soon")]
)
def test_an_optional_value_that_cannot_be_read_costs_no_call(field: str, value: str) -> None:
    """A missed call with billsec=-1 lay in quarantine: nobody called back."""
    fact = only(PBX, binotel_call("apiCallCompleted", 612, "0671234567", **{field: value}))
    assert (fact.phone.e164, fact.talk_s, fact.started_at) == ("+380671234567", None, None)
    assert fact.note == f"{field} could not be read: {value!r}"


@pytest.mark.parametrize(("said", "seconds"), [("65", 65), ("1:05", 65), ("0:01:05", 65), ("65.0", 65), ("65,9", 65)])
def test_seconds_as_machines_and_people_write_them(said: str, seconds: int) -> None:
    fact = only(PBX, binotel_call("apiCallCompleted", 612, "0671234567", billsec=said, startTime="0"))
    assert (fact.talk_s, fact.started_at, fact.note) == (seconds, None, "")


def test_the_details_of_a_call_come_when_it_is_over() -> None:
    """They were dated at its beginning, so as of a moment in it the call was over already."""
    begin = NOW - 200_000_000
    said = {"startTime": begin // 1_000_000, "waitsec": 20, "billsec": 60}
    assert only(PBX, binotel_call("apiCallCompleted", 612, "0671234567", **said)).meta.occurred_at == begin + 80_000_000
    assert only(PBX, binotel_call("answeredTheCall", 612, "0671234567", **said)).meta.occurred_at == begin + 20_000_000
    assert only(PBX, binotel_call("receivedTheCall", 612, "0671234567", **said)).meta.occurred_at == begin
    assert (
        only(PBX, binotel_call("hangupTheCall", 612, "0671234567", **said | {"billsec": 900})).meta.occurred_at == NOW
    )


def test_two_reports_of_one_kind_that_say_different_things_are_two() -> None:
    """The second was taken for a repeat: that 902 answered after 901 was lost."""
    one, other = (binotel_call("answeredTheCall", 612, "0671234567", internalNumber=n) for n in (901, 902))
    assert only(PBX, one).meta.id != only(PBX, other).meta.id


def test_a_report_of_an_unknown_kind_is_one_of_its_call() -> None:
    fact = only(PBX, binotel_call("callbackRequested", 612, "0671234567"))
    assert (fact.call, fact.phase, fact.phone.e164) == ("612", "callbackRequested", "+380671234567")
    nameless = only(PBX, form({"requestType": "callbackRequested", "externalNumber": "0671234567"}))
    assert (nameless.call[:8], nameless.phone.e164) == ("unnamed/", "+380671234567")
    assert isinstance(only(PBX, form({"requestType": "balanceIsLow"})), DeliveryKept)


def test_details_say_what_they_are_also_without_a_request_type() -> None:
    fact = only(PBX, form({"callDetails": '{"generalCallID":612,"externalNumber":"0671234567","callType":0}'}))
    assert (fact.call, fact.phase, fact.direction) == ("612", "completed", "in")


def test_a_report_that_names_no_call_and_no_number_is_quarantined() -> None:
    assert only(PBX, form({"requestType": "receivedTheCall", "externalNumber": "0671234567"})).phase == "ringing"
    assert "'generalCallID' is missing" in only(PBX, form({"requestType": "receivedTheCall"})).reason


def test_another_company_is_refused() -> None:
    own = connection("binotel", company_id="1")
    assert only(own, binotel_call("receivedTheCall", 612, "0671234567")).call == "612"
    assert only(own, binotel_call("apiCallCompleted", 612, "0671234567")).call == "612"
    with pytest.raises(Refused, match="company does not match"):
        receive(own, binotel_call("receivedTheCall", 612, "0671234567", companyID=2))
