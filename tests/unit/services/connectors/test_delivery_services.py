"""What delivery services are sent, and how their errors are read, which come with status 200."""

import json
from typing import Any

import pytest

from crm.connector_poll import Ask, Expired, Page, Poll, PollFailed, Rejected, Throttled, Turn
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors import CONNECTORS
from services.connectors.formats.kyiv_times import kyiv_moment
from tests.support.connector_deliveries import NOW, connection

KEY = "0123456789abcdef0123456789abcdef"
MOMENT = 1_789_388_659_000_000  # 2026-09-14 15:24:19 in Kyiv, which is at UTC+3 then


def poll_of(name: str) -> Poll:
    poll = CONNECTORS[name].poll
    assert poll
    return poll


def turn(name: str, *numbers: str, secret: str = KEY, **settings: str) -> Turn:
    own = connection(name, secret, **settings)
    return Turn(own, Micros(NOW), Micros(NOW), Micros(NOW), numbers)


def page(**body: Any) -> Page:
    return Page(Ask(), json.dumps(body).encode(), Micros(NOW))


def test_nova_poshta_is_given_the_numbers_the_phone_and_the_key() -> None:
    poll = poll_of("nova-poshta")
    ask = poll.ask(turn("nova-poshta", "20450000000011", "20450000000012", phone="380501112233"))
    assert (ask.method, ask.path) == ("POST", "/v2.0/json/")
    assert json.loads(ask.body) == {
        "apiKey": KEY,
        "modelName": "TrackingDocument",
        "calledMethod": "getStatusDocuments",
        "methodProperties": {
            "Documents": [
                {"DocumentNumber": "20450000000011", "Phone": "380501112233"},
                {"DocumentNumber": "20450000000012", "Phone": "380501112233"},
            ]
        },
    }
    assert getattr(poll.subjects, "batch", 0) == 100


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("API key is not valid", Expired),
        ("To many requests", Throttled),
        ("Document number is not correct", PollFailed),
    ],
)
def test_an_error_of_nova_poshta_is_no_answer(error: str, kind: type[PollFailed]) -> None:
    poll = poll_of("nova-poshta")
    with pytest.raises(kind, match=error):
        poll.check(page(success=False, data=[], errors=[error]))
    poll.check(page(success=True, data=[], errors=[]))


def test_ukrposhta_is_given_the_barcodes() -> None:
    ask = poll_of("ukrposhta").ask(turn("ukrposhta", "0500100031143", "0500100031135"))
    assert (ask.method, ask.path) == ("POST", "/status-tracking/0.0.1/statuses/last/with-not-found")
    assert json.loads(ask.body) == ["0500100031143", "0500100031135"]


def test_meest_is_logged_in_to_and_its_number_is_in_the_url() -> None:
    poll = poll_of("meest")
    assert poll.auth and poll.auth.log_in and poll.auth.header == "token"
    ask = poll.auth.log_in.ask(turn("meest").connection, "shop:p:ss")
    assert (ask.path, json.loads(ask.body)) == ("/v3.0/openAPI/auth", {"username": "shop", "password": "p:ss"})
    assert poll.auth.log_in.read(page(status="OK", result={"token": "t-1"})).text == "t-1"
    with pytest.raises(PollFailed, match="check the name and the password"):
        poll.auth.log_in.read(page(status="Error", result=[]))
    assert poll.ask(turn("meest", "A/1")).path == "/v3.0/openAPI/tracking/A%2F1"
    with pytest.raises(Rejected, match="no such parcel"):
        poll.check(page(status="Error", message="no such parcel"))


@pytest.mark.parametrize(
    "text",
    ["2026-09-14 15:24:19", "14-09-2026 15:24:19", "14.09.2026 15:24:19", "2026-09-14T15:24:19+03:00"],
)
def test_a_time_in_any_of_their_forms_is_the_same_moment(text: str) -> None:
    assert kyiv_moment(text) == MOMENT


def test_a_time_without_seconds_and_no_time() -> None:
    assert kyiv_moment("15:24 14.09.2026") == MOMENT - 19_000_000
    assert kyiv_moment("") is kyiv_moment("0001-01-01 00:00:00") is None
    with pytest.raises(Malformed, match="'вчора' is no time"):
        kyiv_moment("вчора")
