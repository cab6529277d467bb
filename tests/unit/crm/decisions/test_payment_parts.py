"""Captures, refunds and chargebacks that are reported one by one: what is paid is right to the kopeck, in any order."""

from itertools import permutations
from typing import Any

import pytest

from crm.decisions.part_sums import summed
from crm.envelope import Fact
from crm.events import (
    DealPaid,
    DealStageMoved,
    FactQuarantined,
    PaymentMatched,
    PaymentPartRecorded,
    PaymentRecorded,
    PaymentReportOutdated,
)
from crm.facts import PaymentPartReported
from crm.scalars import Id, Micros
from crm.state import Part, PaymentSums
from tests.support.scenarios import MINUTE, NOON, RAW, an, form, given, meta, paid

WORTH_100 = form("deal", phones=["+380501112233"], amount_minor=10000, reference="ORDER-1")


def part(key: str, amount: int, minutes: int = 1, **said: Any) -> PaymentPartReported:
    """Makes a refund of the payment p-1 that began and is done some minutes after noon."""
    at = Micros(NOON + minutes * MINUTE)
    fields = {"provider": "bank", "payment": "p-1", "part": f"r-{key}", "kind": "refund", "status": "settled"}
    fields |= {"currency": "UAH", "began_at": at, "changed_at": at}
    return PaymentPartReported(meta(f"part {key} {minutes} {said}"), RAW, amount_minor=amount, **(fields | said))


def paid_in_the_end(*facts: Fact) -> tuple[int, int]:
    """What the deal has, and what of it is held."""
    moves = given(WORTH_100).when(*facts).every(DealPaid)
    return (moves[-1].paid_minor, moves[-1].held_minor) if moves else (0, 0)


SETTLED = paid("1", 10000, reference="ORDER-1")


def test_a_refund_is_taken_off_the_deal() -> None:
    given(WORTH_100, SETTLED).when(part("1", 3005)).then(
        an(
            PaymentPartRecorded,
            payment_status="settled",
            payment_amount_minor=10000,
            payment_refunded_minor=3005,
            why="30.05 UAH were given back",
        ),
        an(DealPaid, change_minor=-3005, paid_minor=6995),
        an(DealStageMoved, from_stage="paid", stage="part_paid"),
    )


def test_a_refund_that_is_known_says_nothing_new() -> None:
    given(WORTH_100, SETTLED, part("1", 3005)).when(part("1", 3005, reason="again")).then(
        an(PaymentReportOutdated, status="settled", why="it says what is known already")
    )


def test_a_refund_that_fails_later_brings_the_money_back_in_any_order() -> None:
    """The provider reported of 40.00 given back in all; one refund of 30.00 failed after that."""
    facts = [
        SETTLED,
        paid("2", 10000, reference="ORDER-1", refunded_minor=4000, changed_at=Micros(NOON + 5 * MINUTE)),
        part("1", 3000, 2),
        part("1", 3000, 2, status="failed", changed_at=Micros(NOON + 9 * MINUTE)),
    ]
    assert {paid_in_the_end(*order) for order in permutations(facts)} == {(9000, 0)}


def test_two_captures_of_a_hold_and_a_refund_of_one_are_one_payment_in_any_order() -> None:
    facts = [
        paid("1", 10000, reference="ORDER-1", status="held"),
        part("c1", 3000, 2, part="c-1", kind="capture"),
        part("c2", 4050, 3, part="c-2", kind="capture"),
        part("1", 1000, 4, payment="c-1"),
        part("d", 50, 5, part="d-1", kind="chargeback"),
    ]
    assert {paid_in_the_end(*order) for order in permutations(facts)} == {(6000, 0)}


def test_what_is_given_back_before_the_payment_is_known_counts_once_it_is() -> None:
    given(WORTH_100, part("1", 3005)).when(SETTLED).then(
        an(
            PaymentRecorded,
            amount_minor=10000,
            refunded_minor=3005,
            reported_status="settled",
            reported_amount_minor=10000,
            reported_refunded_minor=0,
        ),
        an(PaymentMatched),
        an(DealPaid, paid_minor=6995),
        an(DealStageMoved),
    )


def test_a_report_that_is_old_does_not_undo_a_refund() -> None:
    """The state of the payment alone is compared: a refund in between makes no report of it newer or older."""
    reported = paid("2", 10000, reference="ORDER-1")
    given(WORTH_100, SETTLED, part("1", 3005)).when(reported).then(
        an(PaymentReportOutdated, why="it says what is known already")
    )


def test_a_chargeback_that_is_won_comes_back() -> None:
    lost = part("d", 10000, 2, kind="chargeback")
    won = part("d", 10000, 2, kind="chargeback", status="failed", changed_at=Micros(NOON + 9 * MINUTE))
    assert paid_in_the_end(SETTLED, lost) == (0, 0)
    assert paid_in_the_end(SETTLED, lost, won) == paid_in_the_end(SETTLED, won, lost) == (10000, 0)


def test_a_part_in_another_currency_counts_nothing_and_says_so() -> None:
    given(WORTH_100, SETTLED).when(part("1", 3005, currency="EUR")).then(
        an(
            PaymentPartRecorded,
            payment_refunded_minor=0,
            why="30.05 EUR were given back; the payment is in UAH, so it does not count: see what it comes to",
        )
    )


@pytest.mark.parametrize("amount", [-1, 10**18])
def test_a_sum_that_cannot_be_true_is_quarantined(amount: int) -> None:
    given(WORTH_100, SETTLED).when(part("1", amount)).then(
        an(FactQuarantined, reason=f"no refund is of {amount}: the sum cannot be true")
    )


def refund(id: str, amount: int, began: int, status: str = "settled", changed: int = 0) -> Part:
    return Part(Id(id), "refund", status, amount, "UAH", Micros(began), Micros(changed or began))


@pytest.mark.parametrize(
    ("reported_back", "parts", "back"),
    [
        (0, [refund("1", 10, 1)], 10),  # reported one by one, also those before the report
        (10, [refund("1", 10, 1)], 10),  # the total holds it
        (10, [refund("1", 10, 1), refund("2", 5, 9)], 15),  # … and not the later one
        (10, [refund("1", 10, 1, "failed", 9)], 0),  # it failed after the total was reported
        (10, [refund("1", 10, 1, "failed", 3)], 10),  # before: the total knows
        (10, [refund("1", 10, 1, "created")], 10),
    ],
)
def test_what_went_back_in_all(reported_back: int, parts: list[Part], back: int) -> None:
    assert summed(PaymentSums("settled", 100, reported_back), Micros(5), "UAH", parts).refunded_minor == back
