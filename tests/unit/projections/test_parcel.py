"""The row of a parcel: what is known of it, which deal it is for, whether its service is still asked."""

from msgspec.structs import replace

from crm.events import ParcelAttached, ParcelDetached, ParcelParked, ParcelRecorded, ParcelTracked
from crm.shared import Phone
from projections.parcel import ParcelRow, parcel
from tests.support.projection_events import DEAL, NOON, OLENA, PARCEL, an_id, meta, row_of

TRACKED = ParcelTracked(meta("a"), PARCEL, "post", "2045", why="by hand")
ARRIVED = ParcelRecorded(
    meta("b", 5), PARCEL, "post", "2045", "arrived", "7", "Прибув", NOON, reference="R-1",
    phone=Phone("050", "+380501112233"), cash_on_delivery_minor=24950, cost_minor=7000, currency="UAH",
    expected_at=NOON, doubts=("One.",),
)  # fmt: skip
ATTACHED = ParcelAttached(meta("c", 6), PARCEL, DEAL, OLENA, "reference", "its order is R-1")


def test_a_row_is_all_that_is_known() -> None:
    assert row_of(parcel, TRACKED, ARRIVED, ATTACHED) == ParcelRow(
        PARCEL, DEAL, OLENA, "post", "2045", "arrived", "7", "Прибув", NOON, "R-1", "+380501112233", 24950, 7000, "UAH",
        expected_at=NOON, attached_by="reference", why="its order is R-1", doubts=("One.",), touched_at=NOON + 6,
        created_at=NOON, version=3,
    )  # fmt: skip


def test_a_parcel_that_is_over_or_was_taken_off_is_tracked_no_more() -> None:
    received = replace(ARRIVED, meta=meta("d", 7), status="received")
    assert row_of(parcel, ARRIVED).tracked and not row_of(parcel, ARRIVED, received).tracked
    off = ParcelDetached(meta("e", 8), PARCEL, DEAL, OLENA, "mistyped")
    row = row_of(parcel, TRACKED, ATTACHED, off, ARRIVED)
    assert (row.tracked, row.deal_id, row.contact_id, row.why, row.attached_by) == (False, None, None, "mistyped", "")
    assert row_of(parcel, TRACKED, ATTACHED, off, replace(ATTACHED, meta=meta("f", 9))).tracked


def test_a_parked_parcel_says_which_deals_it_could_be_for() -> None:
    parked = ParcelParked(meta("d", 7), PARCEL, "several", (), (DEAL,))
    row = row_of(parcel, ARRIVED, parked)
    assert (row.parked, row.candidates, row.why, row.deal_id) == (True, (DEAL,), "several", None)
    assert not row_of(parcel, ARRIVED, parked, ATTACHED).parked


def test_a_parcel_that_brings_another_back_is_returning_and_then_returned() -> None:
    back = replace(TRACKED, meta=meta("d", 7), returns=an_id("first"))
    row = row_of(parcel, ARRIVED, back)
    assert (row.status, row.returns_id) == ("returning", an_id("first"))
    assert row_of(parcel, TRACKED, back).status == ""
