"""A payment that comes live and again by a statement: one where an id proves it, else parked and said, in any order."""

from itertools import permutations

import pytest

from crm.envelope import Event
from crm.events import DealPaid, PaymentMatched, PaymentParked
from crm.facts import PaymentReported
from crm.scalars import Micros
from crm.shared import Payer
from tests.support.scenarios import MINUTE, NOON, Story, form, given, paid

OURS, OTHER_OURS = "UA213052990000026001234567890", "UA773220010000026001111111111"
KOVALCHUK = Payer(name="ФОП Ковальчук", iban="UA903220010000026007654321098", tax_id="3012345678")
MELNYK = Payer(name="ФОП Мельник", iban="UA633006140000026005555555555", tax_id="2912345678")
HOUR = 60 * MINUTE
MIDNIGHT = Micros(NOON - 12 * HOUR)
DEAL = form("deal", phones=["+380501112233"], amount_minor=30000)
WHY = (
    "It may be the payment that privatbank reported as X/1: 100.00 UAH to the same account on the same day. If it is "
    "another one, say what it is for with paymentMatch"
)


def live(id: str = "X/1", **said: object) -> PaymentReported:
    fields = {"provider": "privatbank", "payment": id, "account": OURS, "purpose": "за угоду D-1", "payer": KOVALCHUK}
    return paid(f"live {id} {said}", 10000, **(fields | said))


def line(id: str = "l1", **said: object) -> PaymentReported:
    fields = {"provider": "statement-text", "payment": id, "account": OURS, "purpose": "за угоду D-1"}
    return paid(f"line {id} {said}", 10000, **(fields | {"payer": KOVALCHUK, "changed_at": MIDNIGHT} | said))


def outcome(*facts: PaymentReported) -> tuple[int, int, int]:
    """How many payments are matched and parked, and what the deal got."""
    return counted(given(DEAL).when(*facts))


def counted(story: Story) -> tuple[int, int, int]:
    events: list[Event] = story.decide.journal
    got = sum(event.change_minor for event in events if isinstance(event, DealPaid))
    matched = {event.payment_id for event in events if isinstance(event, PaymentMatched)}
    parked = {event.payment_id for event in events if isinstance(event, PaymentParked)}
    return len(matched), len(parked - matched), got


def test_the_second_is_parked_and_that_is_said() -> None:
    story = given(DEAL).when(live(), line())
    assert counted(story) == (1, 1, 10000)
    (why,) = [event.why for event in story.decide.journal if isinstance(event, PaymentParked)]
    assert why == WHY


def test_the_same_id_is_the_same_payment() -> None:
    again = line("X/1", provider="privatbank")
    assert outcome(live(), again) == (1, 0, 10000)
    assert outcome(again, live()) == (1, 0, 10000)


def test_two_and_two_are_two_in_any_order() -> None:
    facts = [live("X/1"), live("X/2"), line("l1"), line("l2")]
    assert {outcome(*order) for order in permutations(facts)} == {(2, 2, 20000)}


def test_what_one_way_missed_counts() -> None:
    facts = [live("X/1"), line("l1"), line("l2")]
    assert {outcome(*order) for order in permutations(facts)} == {(2, 1, 20000)}


@pytest.mark.parametrize(
    "said",
    [
        {"account": OTHER_OURS},
        {"payer": MELNYK},
        {"purpose": "за угоду D-1, доплата 2"},
        {"purpose": "за угоду D-1/2"},
        {"changed_at": Micros(MIDNIGHT - 48 * HOUR)},
        {"account": ""},
    ],
)
def test_what_contradicts_is_another_payment(said: dict[str, object]) -> None:
    assert outcome(live(), line(**said)) == (2, 0, 20000)


@pytest.mark.parametrize(
    "said",
    [
        {"account": "26001234567890"},
        {"payer": Payer()},
        {"purpose": "ЗА УГОДУ D-1,", "payer": Payer()},
        {"purpose": "", "reference": "D-1"},
        {"purpose": "Від: ФОП Ковальчук\nза угоду D-1"},
        {"changed_at": Micros(NOON + 20 * HOUR)},
    ],
)
def test_what_does_not_contradict_is_parked(said: dict[str, object]) -> None:
    assert outcome(live(), line(**said)) == (1, 1, 10000)


def test_one_provider_reports_equal_payments() -> None:
    assert outcome(live("X/1"), live("X/2")) == (2, 0, 20000)


def test_a_pending_line_that_waited_does_not_take_the_deal_that_comes() -> None:
    """It was put on a shelf while it was pending, and the live report came and was parked first."""
    reference = {"purpose": "", "reference": "ORDER-1"}
    pending, booked = line(status="created", **reference), line(status="settled", **reference)
    story = Story().when(pending, live(**reference), booked)
    story = story.when(form("later", phones=["+380501112233"], amount_minor=30000, reference="ORDER-1"))
    assert counted(story) == (1, 1, 10000)


def test_what_was_given_back_stands_for_nothing() -> None:
    assert outcome(live(status="reversed", refunded_minor=10000), line()) == (2, 0, 10000)
