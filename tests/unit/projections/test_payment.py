"""The row of a payment: what the bank told last, and which deal it is for."""

from msgspec.structs import replace

from crm.events import PaymentMatched, PaymentParked, PaymentRecorded
from crm.scalars import Micros
from crm.shared import Payer
from projections.payment import PaymentRow, payment
from tests.unit.projections.journal import DEAL, NOON, OLENA, PAYMENT, meta, row_of


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


def test_a_match_of_a_payment_that_was_never_recorded_makes_no_row() -> None:
    assert row_of(payment, MATCHED) is None
