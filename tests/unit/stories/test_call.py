"""Story 3: a ringing call finds its contact before anyone answers; its reports complete one call, in any order."""

from itertools import permutations

from crm.events import (
    CallOpened,
    CallUpdated,
    ContactCreated,
    ContactMerged,
    DealAssigned,
    DealOpened,
    IdentifierAdded,
)
from crm.shared import AssignmentRule, Phone
from tests.given import an, call, form, given, shop

OLEH = "+380501112233"


def test_a_ring_finds_the_contact_by_number() -> None:
    story = given(form("1", phones=[OLEH], name="Олег"))
    contact = story.contacts()[0]
    story.when(call("ring", "ringing", OLEH, line="+380441234567")).then(
        an(CallOpened, contact_id=contact.contact_id, known=True, direction="in", line="+380441234567"),
        an(CallUpdated, contact_id=contact.contact_id, phase="ringing"),
    )


def test_an_unknown_number_makes_a_lead_and_the_ring_comes_first() -> None:
    rules = shop(AssignmentRule("Calls", ("anna",), source="call"))
    given(*rules).when(call("ring", "ringing", OLEH)).then(
        an(ContactCreated, name="", source="call"),
        an(IdentifierAdded, kind="phone", value=OLEH),
        an(CallOpened, known=False),
        an(CallUpdated, phase="ringing"),
        an(DealOpened, title=f"Call from {OLEH}", source="call", amount_minor=0, currency="UAH", stage="new"),
        an(DealAssigned, owner="anna"),
    )


def test_the_reports_of_a_call_complete_one_call_in_any_order() -> None:
    reports = [
        call("ring", "ringing", OLEH),
        call("answer", "answered", employee="anna"),  # some reports do not repeat the number
        call("end", "hung_up"),
        call("done", "completed", OLEH, talk_s=61, wait_s=5, disposition="answered", recording="https://x/1.mp3"),
    ]
    for order in permutations(reports):
        story = given(*order)
        assert len(story.every(CallOpened)) == 1
        assert {update.phase for update in story.every(CallUpdated)} == {"ringing", "answered", "hung_up", "completed"}
        assert len(story.every(DealOpened)) == 1
        assert [contact.identifiers for contact in story.contacts()] == [(f"phone:{OLEH}",)]


def test_a_call_that_begins_without_its_number_goes_to_the_card_that_has_it() -> None:
    story = given(form("1", phones=[OLEH]), call("end", "hung_up"))
    known = story.contacts()[0].contact_id
    story.when(call("done", "completed", OLEH)).then(
        an(CallUpdated), an(ContactMerged, into_id=known, why=f"the call turned out to be from {OLEH}")
    )
    assert [contact.contact_id for contact in story.contacts()] == [known]


def test_a_withheld_number_is_nobodys_and_a_lead_only_once_somebody_talked() -> None:
    hidden = Phone("anonymous", "")
    story = given().when(call("ring", "ringing", phone=hidden))
    story.then(an(ContactCreated, name=""), an(CallOpened, known=False), an(CallUpdated))
    story.when(call("answer", "answered", phone=hidden)).then(
        an(CallUpdated), an(DealOpened, title="Call from anonymous"), an(DealAssigned)
    )
    story.when(call("done", "completed", phone=hidden, talk_s=9)).then(an(CallUpdated))


def test_whom_we_call_is_no_lead() -> None:
    given().when(call("out", "ringing", OLEH, direction="out")).then(
        an(ContactCreated), an(IdentifierAdded), an(CallOpened, direction="out"), an(CallUpdated)
    )


def test_the_same_report_twice_is_one() -> None:
    ring = call("ring", "ringing", OLEH)
    assert given(ring).when(ring).events == []
