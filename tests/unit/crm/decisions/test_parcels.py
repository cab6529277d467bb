"""Parcels: their reports in any order, the deal that each is for, and where it moves the deal."""

from itertools import permutations
from typing import Any

import pytest

from crm.commands import Code
from crm.events import (
    DealStageMoved,
    FactQuarantined,
    ParcelAttached,
    ParcelDetached,
    ParcelMoved,
    ParcelParked,
    ParcelRecorded,
    ParcelReportOutdated,
    ParcelTracked,
)
from crm.scalars import Micros
from crm.state import Parcel, Parked
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import MINUTE, NOON, an, deal_report, form, given, parcel, phone

PHONE, OTHER = "+380501112233", "+380679998877"
DEAL = form("deal", phones=[PHONE], reference="R-1", name="Olha")
STAGES = [
    {"status": "in_transit", "stage": "in_progress"},
    {"status": "arrived", "stage": "part_paid"},
    {"status": "returned", "stage": "lost"},
    {"status": "returning", "stage": "new"},
]


def later(minutes: int) -> Micros:
    return Micros(NOON + minutes * MINUTE)


def session(*facts: Any) -> OperatorSession:
    """A workspace whose parcels move deals."""
    story = OperatorSession().do("pipeline_change", parcel_stages=STAGES)
    return story.when(*facts) if facts else story


def the_parcel(story: Any, number: str = "A") -> Parcel:
    parcels = [one for one in story.state.things.values() if isinstance(one, Parcel)]
    return next(one for one in parcels if one.tracking_number == number)


def test_a_parcel_finds_its_deal_by_the_order_and_says_once_what_it_says_twice() -> None:
    story = given(DEAL).when(parcel("1", reference="r 1"))
    story.then(an(ParcelRecorded, status="in_transit"), an(ParcelAttached, by="reference", why="its order is r 1"))
    story.when(parcel("2", reference="r 1")).then(an(ParcelReportOutdated, why="it says what is known already"))
    story.when(parcel("3", status="created", changed_at=NOON - 1)).then(
        an(ParcelReportOutdated, status="created", why="a newer report said in_transit")
    )
    assert the_parcel(story).status == "in_transit"


def test_any_order_of_its_reports_ends_the_same() -> None:
    """Each tells something of its own: the oldest the order, one without a clock the sum."""
    reports = (
        parcel("1", status="created", changed_at=NOON, reference="R-1"),
        parcel("2", status="arrived", changed_at=later(2), expected_at=later(9)),
        parcel("3", status="unknown", changed_at=None, cash_on_delivery_minor=24950, currency="UAH"),
        parcel("4", status="in_transit", changed_at=later(1), phone=phone(PHONE)),
    )
    ends = {str(replaced(the_parcel(given(DEAL).when(*order)))) for order in permutations(reports)}
    assert len(ends) == 1 and "'status': 'arrived'" in ends.pop()


def replaced(parcel: Parcel) -> dict[str, Any]:
    return {name: getattr(parcel, name) for name in parcel.__struct_fields__ if name != "version"} | {
        "deal_id": bool(parcel.deal_id)
    }


def test_a_number_that_is_not_found_overrides_nothing() -> None:
    story = given(DEAL, parcel("1", status="received", reference="R-1"))
    story.when(parcel("2", status="unknown", status_code="3", changed_at=None)).then(an(ParcelReportOutdated))


def test_a_code_that_is_not_known_is_kept_with_its_words() -> None:
    said = {"status": "unknown", "status_code": "999", "status_text": "Новий статус"}
    given(DEAL).when(parcel("1", **said)).then(an(ParcelRecorded, **said), an(ParcelParked))


# ---------- which deal


def test_the_phone_alone_is_enough_for_the_only_deal() -> None:
    story = given(DEAL).when(parcel("1", phone=phone(PHONE)))
    assert story.events[1].by == "phone" and story.events[1].deal_id == story.deal(1).deal_id


def test_an_order_that_no_deal_has_outweighs_a_phone() -> None:
    """Weak evidence never outranks strong: the deal of that order may still come."""
    story = given(DEAL).when(parcel("1", reference="R-2", phone=phone(PHONE)))
    parked = story.events[1]
    assert parked.why == "no deal has the reference R-2; by its telephone it could be for D-1"
    assert parked.candidates == (story.deal(1).deal_id,)
    story.when(form("second", phones=[OTHER], reference="R-2"))
    assert the_parcel(story).deal_id == story.deal(2).deal_id
    assert not [one for one in story.state.things.values() if isinstance(one, Parked)]


def test_an_order_outweighs_the_phone_that_came_before_it() -> None:
    for reference, number in (("R-2", 2), ("R-9", None)):
        story = given(DEAL, form("2", phones=[OTHER], reference="R-2"), parcel("1", phone=phone(PHONE)))
        assert the_parcel(story).attached_by == "phone"
        story.when(parcel("2", status="created", changed_at=NOON - 1, reference=reference))
        assert the_parcel(story).deal_id == (story.deal(number).deal_id if number else None)
        assert (the_parcel(story).attached_by, bool(the_parcel(story).parked)) == (
            ("reference", False) if number else ("", True)
        )


@pytest.mark.parametrize(
    ("before", "said", "why"),
    [
        ((), {}, "it names neither an order nor a telephone"),
        ((), {"phone": phone(PHONE)}, f"no contact is known by {PHONE} alone"),
        ((DEAL, form("2", at=later(9), phones=[PHONE], reference="R-2")), {"phone": phone(PHONE)},
         f"the contact with {PHONE} has 2 deals that are not over"),
        ((DEAL, form("2", phones=[OTHER], reference="R-1")), {"reference": "R-1"},
         "several deals have the reference R-1"),
        ((DEAL,), {"phone": phone(PHONE), "status": "received"},
         "it was received before it was known, so its telephone alone does not tell its deal"),
    ],
)  # fmt: skip
def test_what_is_not_certain_is_parked_and_said(before: tuple[Any, ...], said: dict[str, Any], why: str) -> None:
    given(*before).when(parcel("1", **said)).then(an(ParcelRecorded), an(ParcelParked, why=why))


def test_a_deal_that_is_opened_after_the_parcel_is_not_its_deal_by_the_phone_alone() -> None:
    story = given(parcel("1", phone=phone(PHONE))).when(DEAL)
    assert the_parcel(story).deal_id is None


def test_a_deal_paid_in_full_still_waits_for_its_parcel() -> None:
    story = session(form("paid", phones=[PHONE], amount_minor=100))
    story.moved(1, "paid").when(parcel("1", phone=phone(PHONE)))
    assert the_parcel(story).deal_id == story.deal(1).deal_id


@pytest.mark.parametrize("said", [{"tracking_number": " "}, {"service": ""}, {"cost_minor": -1, "currency": "UAH"}])
def test_what_cannot_be_a_parcel_is_kept_in_quarantine(said: dict[str, Any]) -> None:
    given(DEAL).when(parcel("1", **said)).then(an(FactQuarantined))


# ---------- the stage


def test_a_status_moves_the_deal_forward_only() -> None:
    story = session(DEAL, parcel("1", reference="R-1"))
    assert story.events[-1].why == "parcel A is in transit" and story.events[-1].meta.actor == "parcels"
    story.when(parcel("2", status="arrived", changed_at=later(2)))
    assert story.deal(1).stage == "part_paid"
    story.when(parcel("3", status="in_transit", changed_at=later(3))).then(an(ParcelRecorded), an(ParcelMoved))
    assert story.deal(1).stage == "part_paid"


def test_nothing_moves_by_default() -> None:
    given(DEAL).when(parcel("1", reference="R-1")).then(an(ParcelRecorded), an(ParcelAttached))


def test_what_comes_back_moves_back_only_from_where_a_parcel_put_the_deal() -> None:
    story = session(DEAL, parcel("1", status="arrived", reference="R-1"))
    story.when(parcel("2", status="returning", changed_at=later(1)))
    assert story.deal(1).stage == "new"
    by_hand = session(DEAL, parcel("1", status="arrived", reference="R-1")).moved(1, "paid")
    by_hand.when(parcel("2", status="returning", changed_at=later(1))).then(an(ParcelRecorded), an(ParcelMoved))


def test_what_a_person_decided_after_the_parcel_arrived_stays() -> None:
    """The service is asked now and then: what it tells may be older than what somebody did meanwhile."""
    story = session(DEAL, parcel("1", reference="R-1", changed_at=NOON - 9)).moved(1, "new")
    story.when(parcel("2", status="arrived", changed_at=NOON - 1)).then(an(ParcelRecorded), an(ParcelMoved))
    story.when(parcel("3", status="arrived", changed_at=later(1))).then(an(ParcelRecorded))
    story.when(parcel("4", status="in_transit", changed_at=later(2)))
    story.then(an(ParcelRecorded), an(ParcelMoved, from_status="arrived"), an(DealStageMoved, stage="in_progress"))


def test_a_won_deal_stays_won_and_the_return_is_said() -> None:
    story = session(DEAL, parcel("1", reference="R-1")).do("deal_win", deal_id=session(DEAL).deal(1).deal_id)
    story.when(parcel("2", status="returning", changed_at=later(1))).then(
        an(ParcelRecorded, suspicious="it is returning after D-1 was won"),
        an(ParcelMoved, why="it is returning after D-1 was won"),
    )


def test_a_return_is_followed_under_its_own_number() -> None:
    story = session(DEAL, parcel("1", reference="R-1"))
    story.when(parcel("2", status="returning", changed_at=later(1), return_number="B")).then(
        an(ParcelRecorded, return_number="B"),
        an(ParcelMoved, status="returning"),
        an(DealStageMoved, stage="new"),
        an(ParcelTracked, tracking_number="B", why="A is sent back in it"),
        an(ParcelAttached, by="return"),
    )
    story.when(parcel("3", tracking_number="B", status="arrived", changed_at=later(2)))
    assert story.events[0].status == "returning"
    story.when(parcel("4", tracking_number="B", status="received", changed_at=later(3)))
    assert story.events[0].status == "returned" and story.deal(1).stage == "lost"


def test_a_parcel_that_was_known_becomes_a_return() -> None:
    story = session(DEAL, parcel("1", tracking_number="B", status="received"))
    story.when(parcel("2", status="returning", reference="R-1", return_number="B"))
    assert the_parcel(story, "B").status == "returned" and story.deal(1).stage == "lost"


# ---------- by name


@pytest.mark.parametrize(
    "text", ['["2045 0000 0000 11", "20450000000011", "17"]', '"20450000000011"', "20450000000011"]
)
def test_a_shop_names_the_parcels_of_its_order(text: str) -> None:
    """Only a number whose form is of one delivery service is followed."""
    story = session(deal_report("1", fields={"parcel_numbers": text}))
    (tracked,) = (event for event in story.events if isinstance(event, ParcelTracked))
    assert (tracked.service, tracked.tracking_number) == ("nova-poshta", "20450000000011")
    assert the_parcel(story, "20450000000011").deal_id == story.deal(1).deal_id
    story.when(deal_report("2", version=2, fields={"parcel_numbers": text}))
    assert not [event for event in story.events if isinstance(event, ParcelTracked | ParcelAttached)]
    story.do("parcel_detach", parcel_id=tracked.parcel_id)
    story.when(deal_report("3", version=3, fields={"parcel_numbers": text}))
    assert the_parcel(story, "20450000000011").deal_id is None


@pytest.mark.parametrize("text", ["null", "{}", "[1]", "[]", '""'])
def test_a_field_that_names_no_parcel_follows_none(text: str) -> None:
    story = session(deal_report("1", fields={"parcel_numbers": text}))
    assert not [event for event in story.events if isinstance(event, ParcelTracked)]


# ---------- by hand


def test_a_person_types_a_number_and_the_service_is_read_off_its_form() -> None:
    story = session(DEAL)
    deal_id = story.deal(1).deal_id
    story.do("deal_track_parcel", deal_id=deal_id, tracking_number="2045 0000 0000 11").then(
        an(ParcelTracked, service="nova-poshta", tracking_number="20450000000011"),
        an(ParcelAttached, by="hand", why="by hand"),
    )
    again = {"deal_id": deal_id, "tracking_number": "20450000000011"}
    assert "on D-1 already" in story.refuses("deal_track_parcel", "trackingNumber", Code.UNCHANGED, **again)
    story.do("deal_track_parcel", deal_id=deal_id, tracking_number="ra123456789ua")
    assert story.events[0].service == "ukrposhta"
    unknown = {"deal_id": deal_id, "tracking_number": "17"}
    why = story.refuses("deal_track_parcel", "service", Code.REQUIRED, **unknown)
    assert why == (
        "Its form is of no delivery service that is known: name the service. There are meest, nova-poshta, ukrposhta. "
        "Nothing was changed."
    )
    story.refuses("deal_track_parcel", "service", Code.NOT_FOUND, **unknown, service="pigeon")
    story.do("deal_track_parcel", **unknown, service="meest").then(an(ParcelTracked), an(ParcelAttached))


def test_a_parcel_is_moved_and_taken_off_and_no_rule_attaches_it_again() -> None:
    story = session(DEAL, form("2", phones=[OTHER]))
    number = {"tracking_number": "A", "service": "meest"}
    story.when(parcel("1", service="meest", reference="R-1"))
    story.do("deal_track_parcel", deal_id=story.deal(2).deal_id, **number).then(an(ParcelAttached), an(DealStageMoved))
    assert the_parcel(story).deal_id == story.deal(2).deal_id
    parcel_id = the_parcel(story).parcel_id
    story.do("parcel_detach", parcel_id=parcel_id, why="mistyped").then(an(ParcelDetached, why="mistyped"))
    story.when(parcel("2", service="meest", status="arrived", changed_at=later(1), reference="R-1"))
    story.then(an(ParcelRecorded))
    story.refuses("parcel_detach", "parcelId", Code.UNCHANGED, parcel_id=parcel_id)


def test_a_stage_that_is_not_there_is_refused() -> None:
    wrong = {"parcel_stages": [{"status": "arrived", "stage": "shelf"}]}
    assert "'shelf'" in session().refuses("pipeline_change", "parcelStages", Code.INVALID, **wrong)
    removed = "in_progress"
    assert "parcel is in_transit" in session().refuses("stage_remove", "parcelStages", Code.INVALID, key=removed)
