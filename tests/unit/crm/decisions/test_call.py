"""Story 3: a ringing call finds its contact before anyone answers; its reports complete one call, in any order."""

from itertools import permutations
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.events import (
    CallOpened,
    CallUpdated,
    ContactCreated,
    ContactMerged,
    DealAssigned,
    DealOpened,
    IdentifierAdded,
    IdentifierDoubted,
)
from crm.facts import CallReported
from crm.shared import AssignmentRule, Phone
from projections.call import call as call_row
from projections.timeline import timeline
from tests.support.projection_events import fold
from tests.support.scenarios import NOON, KnownBy, Story, an, call, form, given, meta, shop

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
        an(ContactCreated, name="", source="call", identifiers=KnownBy(phone=OLEH)),
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
    story = given().when(call("out", "ringing", OLEH, direction="out"))
    story.then(an(ContactCreated), an(CallOpened, direction="out"), an(CallUpdated))
    story.when(call("done", "completed", OLEH, direction="out", talk_s=60)).then(an(CallUpdated))
    story.when(call("back", "ringing", OLEH, call="c-2")).then(
        an(CallOpened, known=True), an(CallUpdated), an(DealOpened, title=f"Call from {OLEH}"), an(DealAssigned)
    )


def test_the_same_report_twice_is_one() -> None:
    ring = call("ring", "ringing", OLEH)
    assert given(ring).when(ring).events == []


def test_the_end_of_a_missed_call_first_and_then_its_ring_is_a_lead_with_a_number() -> None:
    """The call stayed without number, direction and line, at a card of nobody."""
    story = given().when(call("end", "hung_up", direction="", disposition="no_answer"))
    story.then(an(ContactCreated, name=""), an(CallOpened, known=False), an(CallUpdated, phone=None))
    story.when(call("ring", "ringing", OLEH, line="044")).then(
        an(CallUpdated, direction="in", phone=Phone(OLEH, OLEH), line="044", known=False),
        an(IdentifierAdded, value=OLEH),
        an(DealOpened, title=f"Call from {OLEH}"),
        an(DealAssigned),
    )
    assert [contact.identifiers for contact in story.contacts()] == [(f"phone:{OLEH}",)]


def test_the_end_of_a_known_customers_call_first_is_theirs_and_no_second_deal() -> None:
    story = given(form("1", phones=[OLEH]), call("end", "hung_up", direction=""))
    story.when(call("ring", "ringing", OLEH)).then(an(CallUpdated, known=True), an(ContactMerged))
    assert len(story.every(DealOpened)) == 1


def test_the_direction_may_come_after_the_number() -> None:
    story = given(call("ring", "ringing", OLEH, direction=""))
    assert story.every(DealOpened) == []
    story.when(call("answer", "answered", direction="in")).then(an(CallUpdated), an(DealOpened), an(DealAssigned))


def test_details_that_do_not_say_the_direction_are_of_a_lead() -> None:
    assert len(given(call("done", "completed", OLEH, direction="")).every(DealOpened)) == 1
    assert len(given(call("end", "hung_up", OLEH, direction="")).every(DealOpened)) == 0


def test_two_callers_without_a_number_are_two_cards() -> None:
    hidden = Phone("anonymous", "")
    story = given(call("1", "ringing", phone=hidden), call("2", "ringing", call="c-2", phone=hidden))
    assert len({event.contact_id for event in story.every(CallOpened)}) == 2


def test_a_colleagues_extension_has_no_card_and_is_no_lead() -> None:
    inside = Phone("901", "")
    story = given(call("1", "ringing", phone=inside), call("1b", "answered", phone=inside, talk_s=9))
    assert (len(story.every(CallOpened)), story.contacts(), story.every(DealOpened)) == (1, [], [])
    story.when(call("2", "completed", OLEH)).then(
        an(CallUpdated), an(ContactCreated, identifiers=KnownBy(phone=OLEH)), an(DealOpened), an(DealAssigned)
    )


def test_a_number_that_cannot_be_read_is_a_lead_as_it_was_written() -> None:
    story = given(call("ring", "ringing", phone=Phone("067 123 45", "")))
    (deal,) = story.every(DealOpened)
    assert (deal.title, story.contacts()[0].identifiers) == ("Call from 067 123 45", ())


def test_the_first_number_of_a_call_stays_and_another_one_is_said() -> None:
    other = "+380679998877"
    story = given(call("ring", "ringing", OLEH)).when(call("done", "completed", other, note="odd"))
    story.then(an(CallUpdated, phone=None, note=f"odd; this report names another number: {other}"))


def test_a_call_without_number_is_seen_with_its_line() -> None:
    story = given(call("end", "hung_up", direction="in", line="044", disposition="no_answer"))
    rows: list[Any] = [*fold(timeline, story.decide.journal).values()]
    assert ("Call hung up", "no answer, line 044") in [(row.title, row.text) for row in rows]


def test_a_number_that_several_people_have_identifies_nobody_and_its_calls_are_on_one_card() -> None:
    story = given(form("1", phones=[OLEH], name="Олег"))
    (oleh,) = story.contacts()
    doubted = IdentifierDoubted(meta("doubt", stream=oleh.contact_id), oleh.contact_id, "phone", OLEH, why="a hotline")
    story.decide.append(doubted)
    story.when(call("1", "ringing", OLEH), call("2", "ringing", OLEH, call="c-2"))
    first, second = story.every(CallOpened)
    assert first.contact_id == second.contact_id != oleh.contact_id
    assert (first.known, second.known, len(story.every(DealOpened))) == (False, False, 2)


REPORTS = (
    call("ring", "ringing", OLEH, line="044", at=NOON),
    call("answer", "answered", direction="", employee="901", at=NOON + 1),
    call("transfer", "transferred", direction="", employee="902", at=NOON + 2),
    call("end", "hung_up", direction="", disposition="answered", talk_s=60, at=NOON + 3),
    call("done", "completed", OLEH, line="044", talk_s=61, wait_s=5, recording="https://x/1.mp3", at=NOON + 4),
)
CUSTOMER = form("1", phones=[OLEH], name="Олег")


@settings(deadline=None)
@for_any(
    reports=st.lists(st.sampled_from(REPORTS), unique_by=lambda report: report.phase, min_size=1),
    known=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_any_order_of_reports_ends_in_the_same_call_person_and_deal(
    reports: list[CallReported], known: bool, random: Any
) -> None:
    before = [CUSTOMER] if known else []
    one, other = (given(*before, *order) for order in (reports, random.sample(reports, len(reports))))
    assert outcome(one) == outcome(other)
    if any(report.phone.e164 for report in reports):
        assert [contact.identifiers for contact in one.contacts()] == [(f"phone:{OLEH}",)]
        assert len(one.every(DealOpened)) == 1


OUTSIDE = call("in", "completed", OLEH, leg="1", line="044", wait_s=5, talk_s=60, disposition="answered", at=NOON + 70)
INSIDE: dict[str, Any] = {"phone": Phone("", ""), "internal": True}
LEGS = (
    OUTSIDE,
    call("ring", "ringing", OLEH, line="044", at=NOON),
    call("901", "completed", direction="", leg="2", employee="901", talk_s=0, **INSIDE, at=NOON + 10),
    call("902", "completed", direction="", leg="3", employee="902", talk_s=60, **INSIDE, at=NOON + 69),
    call("away", "completed", direction="out", leg="4", talk_s=8, **INSIDE, at=NOON + 40),
    call("end", "hung_up", direction="", at=NOON + 71),
)  # fmt: skip


@settings(deadline=None)
@for_any(
    legs=st.lists(st.sampled_from(LEGS[1:]), unique_by=lambda leg: leg.meta.id),
    known=st.booleans(),
    random=st.randoms(use_true_random=False),
)
def test_any_order_of_legs_ends_in_the_same_call_person_and_deal(
    legs: list[CallReported], known: bool, random: Any
) -> None:
    before, legs = [CUSTOMER] if known else [], [OUTSIDE, *legs]
    one, other = (given(*before, *order) for order in (legs, random.sample(legs, len(legs))))
    assert outcome(one) == outcome(other)
    assert [contact.identifiers for contact in one.contacts()] == [(f"phone:{OLEH}",)]
    assert len(one.every(DealOpened)) == 1


def test_a_call_between_colleagues_makes_no_card_until_somebody_outside_takes_part() -> None:
    story = given(*(leg for leg in LEGS if leg.internal))
    assert (len(story.every(CallOpened)), story.contacts(), story.every(DealOpened)) == (1, [], [])
    story.when(call("hidden", "answered", phone=Phone("anonymous", ""), leg="5"))
    assert (len(story.contacts()), len(story.every(DealOpened))) == (1, 1)


def test_a_number_is_believed_more_than_that_nobody_outside_took_part() -> None:
    """What calls itself internal and names somebody was a lead without a card, and stopped the decision."""
    for phone in (Phone(OLEH, OLEH), Phone("067 123 45", "")):
        story = given(call("odd", "completed", phone=phone, talk_s=9, internal=True))
        assert (len(story.contacts()), len(story.every(DealOpened))) == (1, 1)


def outcome(story: Story) -> tuple[Any, ...]:
    """The call without what its first report alone decides, who stands, and how many deals there are."""
    (row,) = fold(call_row, story.decide.journal).values()
    people = [contact.identifiers for contact in story.contacts()]
    return replace(row, contact_id="", created_at=0), people, len(story.every(DealOpened))
