"""The row of a payment: what the bank reported last, and which deal it is for."""

from msgspec.structs import replace

from crm.events import (
    PaymentCorrected,
    PaymentMatched,
    PaymentParked,
    PaymentPartRecorded,
    PaymentRecorded,
    PaymentShared,
    PaymentUnmatched,
)
from crm.scalars import Id, Micros
from crm.shared import Payer
from projections.payment import PaymentRow, payment
from tests.support.projection_events import DEAL, NOON, OLENA, PAYMENT, an_id, meta, row_of


def recorded(status: str, at: int = 0, refunded: int = 0) -> PaymentRecorded:
    payer = Payer("Olena", "UA213223130000026007233566001")
    sums = (20200, "UAH", refunded, "For D-7", "ORDER-1")
    event = meta(f"{status} {refunded}", at, PAYMENT)
    return PaymentRecorded(event, PAYMENT, "monobank", "p-1", status, *sums, payer, "acc", event.occurred_at)


HELD = PaymentRow(
    PAYMENT, None, None, "monobank", "p-1", "held", 20200, 0, "UAH", "For D-7", "ORDER-1", "Olena",
    "UA213223130000026007233566001", "acc", False, "", "", NOON, NOON, created_at=NOON,
)  # fmt: skip
PARKED = PaymentParked(meta("parked", 1, PAYMENT), PAYMENT, "there is no deal D-7", ("number:7",))
MATCHED = PaymentMatched(meta("matched", 2, PAYMENT), PAYMENT, DEAL, OLENA, "number", "its purpose names D-7")


def test_a_payment_that_fits_nothing_is_parked_until_it_is_matched() -> None:
    parked = replace(HELD, parked=True, why="there is no deal D-7", touched_at=Micros(NOON + 1), version=2)
    assert row_of(payment, recorded("held"), PARKED) == parked
    assert row_of(payment, recorded("held"), PARKED, MATCHED) == replace(
        HELD,
        deal_id=DEAL,
        contact_id=OLENA,
        matched_by="number",
        why="its purpose names D-7",
        version=3,
        touched_at=Micros(NOON + 2),
    )


def test_what_the_bank_tells_later_leaves_the_deal_where_it_is() -> None:
    row = row_of(payment, recorded("held"), MATCHED, recorded("settled", 3, refunded=200))
    at = Micros(NOON + 3)
    assert row == replace(
        HELD,
        status="settled",
        refunded_minor=200,
        deal_id=DEAL,
        contact_id=OLENA,
        matched_by="number",
        why="its purpose names D-7",
        version=3,
        changed_at=at,
        touched_at=at,
    )


def refunded(at: int, back: int, status: str = "settled", suspicious: str = "") -> PaymentPartRecorded:
    part = ("monobank", "r-1", "refund", "settled", 200, "UAH", Micros(NOON + at), Micros(NOON + at), "broken")
    event = meta(f"refund {back}", at, PAYMENT)
    sums = (status, 20200, back, "2.00 UAH were given back", suspicious)
    return PaymentPartRecorded(event, PAYMENT, an_id("r-1"), *part, *sums)


def test_a_refund_that_is_reported_alone_changes_what_was_given_back_and_not_why_the_deal_was_found() -> None:
    row = row_of(payment, recorded("settled"), MATCHED, refunded(3, 200, suspicious="after D-7 was won"))
    assert row == replace(
        HELD,
        status="settled",
        refunded_minor=200,
        deal_id=DEAL,
        contact_id=OLENA,
        matched_by="number",
        why="its purpose names D-7",
        suspicious="after D-7 was won",
        version=3,
        touched_at=Micros(NOON + 3),
    )
    assert row_of(payment, refunded(1, 0, status="")) is None  # its payment is not known yet


def test_a_match_of_a_payment_that_was_never_recorded_makes_no_row() -> None:
    assert row_of(payment, MATCHED) is None


def shared(key: str, at: int, deal: Id, minor: int) -> PaymentShared:
    return PaymentShared(meta(key, at, PAYMENT), PAYMENT, deal, OLENA, minor, "split")


def test_a_split_payment_tells_its_shares_and_stands_at_the_first() -> None:
    other = an_id("other deal")
    split = row_of(payment, recorded("settled"), MATCHED, shared("a", 3, DEAL, 200), shared("b", 4, other, 20_000))
    assert (split.deal_id, split.parked, split.matched_by) == (DEAL, False, "hand")
    assert split.shares == (
        f'{{"deal_id":"{DEAL}","contact_id":"{OLENA}","share_minor":200}}',
        f'{{"deal_id":"{other}","contact_id":"{OLENA}","share_minor":20000}}',
    )
    off = PaymentUnmatched(meta("off", 5, PAYMENT), PAYMENT, DEAL, OLENA, "no")
    rest = row_of(payment, recorded("settled"), shared("a", 3, DEAL, 200), shared("b", 4, other, 20_000), off)
    assert (rest.deal_id, rest.parked, len(rest.shares)) == (None, True, 1)


def test_a_corrected_payment_has_its_sum_and_no_doubt() -> None:
    doubtful = replace(recorded("settled"), currency="XXX", doubts=("which currency the account has is not known",))
    right = PaymentCorrected(meta("right", 2, PAYMENT), PAYMENT, 20200, "XXX", 20200, "UAH", "the account is in UAH")
    row = row_of(payment, doubtful, right)
    assert (row.currency, row.amount_minor, row.doubts, row.why) == ("UAH", 20200, (), "the account is in UAH")
    assert row_of(payment, doubtful).doubts == ("which currency the account has is not known",)


def test_its_candidates_stand_in_the_row_while_it_is_parked() -> None:
    parked = PaymentParked(meta("parked", 1, PAYMENT), PAYMENT, "It could be for D-7.", (), (DEAL,))
    assert row_of(payment, recorded("settled"), parked).candidates == (DEAL,)
    assert row_of(payment, recorded("settled"), parked, MATCHED).candidates == ()


def test_what_is_worth_a_look_is_said_until_it_is_matched_elsewhere() -> None:
    odd = replace(MATCHED, suspicious="it is 0.50 UAH more than was outstanding")
    assert row_of(payment, recorded("settled"), odd).suspicious == "it is 0.50 UAH more than was outstanding"
    back = replace(recorded("settled", 3, 500), suspicious="5.00 UAH went back after D-7 was won")
    assert row_of(payment, recorded("settled"), MATCHED, back).suspicious == "5.00 UAH went back after D-7 was won"
    off = PaymentUnmatched(meta("off", 5, PAYMENT), PAYMENT, DEAL, OLENA, "no")
    assert row_of(payment, recorded("settled"), odd, off).suspicious == ""


def test_a_payment_has_the_source_of_its_deal_while_it_is_matched() -> None:
    parked = PaymentParked(meta("parked", 1, PAYMENT), PAYMENT, "no such deal", ())
    found = replace(MATCHED, source="call")
    assert row_of(payment, recorded("settled"), parked).source == ""
    assert row_of(payment, recorded("settled"), found, recorded("refunded", 3, 5)).source == "call"
    off = PaymentUnmatched(meta("off", 3, PAYMENT), PAYMENT, DEAL, OLENA, "no")
    assert row_of(payment, recorded("settled"), found, off).source == ""
    first, second = shared("a", 2, DEAL, 5), shared("b", 3, an_id("other deal"), 5)
    first, second = replace(first, source="chat"), replace(second, source="form")
    assert row_of(payment, recorded("settled"), first, second).source == "chat"
