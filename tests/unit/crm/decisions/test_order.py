"""Orders of shops: deals with lines, edits, cancellations and what was paid and given back, in any order of reports."""

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.engine.in_memory import rebuilt
from crm.envelope import Fact, named_id
from crm.events import (
    ContactCreated,
    DealAssigned,
    DealChanged,
    DealLineChanged,
    DealOpened,
    DealPaid,
    DealStageMoved,
    DeliveryNoted,
    FactQuarantined,
    PaymentMatched,
    PaymentRecorded,
    ReportRecorded,
)
from crm.facts import OrderReported
from crm.scalars import Micros
from crm.shared import OrderLine
from crm.state import Deal, Payment, known
from projections.deal import deal
from projections.deal_line import deal_line
from projections.payment import payment
from tests.support.projection_events import fold
from tests.support.scenarios import (
    MINUTE,
    NOON,
    RAW,
    SHOP,
    KnownBy,
    Story,
    an,
    deal_report,
    form,
    given,
    meta,
    paid,
    phone,
)

OLEH = "+380501112233"
TEA = OrderLine("1", "TEA", "Green tea", "2", 10_000, 500, 19_500)
CUP = OrderLine("2", "CUP", "Cup", "1", 5_050, 0, 5_050)
OWN = "deal/prom:123"
DEAL = named_id(SHOP, OWN)


def order(name: str, /, minutes: int = 0, **said: Any) -> OrderReported:
    """Makes a report of the order prom:123, `minutes` after noon."""
    at = Micros(NOON + minutes * MINUTE)
    fields: dict[str, Any] = {"system": "prom", "order": "123", "changed_at": at} | said
    return OrderReported(meta(f"order {name}", at), RAW, **fields)


def new(name: str = "new", minutes: int = 0, **said: Any) -> OrderReported:
    fields: dict[str, Any] = {"number": "123", "name": "Oleh", "phones": (phone(OLEH),), "currency": "UAH"}
    fields |= {"total_minor": 24_550, "lines": (TEA, CUP), "cancelled": False, "paid_minor": 0}
    return order(name, minutes, **(fields | said))


def lines_of(story: Story) -> list[tuple[int, str, str, int | None, int, int | None, str]]:
    rows: list[Any] = sorted(fold(deal_line, story.decide.journal).values(), key=lambda row: row.place)  # type: ignore[attr-defined]  # the row's class is known at run time
    return [
        (row.place, row.sku, row.quantity, row.price_minor, row.discount_minor, row.total_minor, row.currency)
        for row in rows
    ]


def the_deal(story: Story) -> Deal:
    return known(story.state, Deal, DEAL)


def test_an_order_opens_a_deal_with_its_lines() -> None:
    story = given(new()).then(
        an(ContactCreated, name="Oleh", source="prom", identifiers=KnownBy(phone=OLEH)),
        an(
            DealOpened,
            deal_id=DEAL,
            title="Order 123",
            amount_minor=24_550,
            currency="UAH",
            stage="new",
            source="prom",
            reference="123",
        ),
        an(DealAssigned),
        an(DealLineChanged, deal_id=DEAL, place=1, currency="UAH", removed=False, line=TEA),
        an(DealLineChanged, deal_id=DEAL, place=2, currency="UAH", removed=False, line=CUP),
    )
    assert lines_of(story) == [
        (1, "TEA", "2", 10_000, 500, 19_500, "UAH"),
        (2, "CUP", "1", 5_050, 0, 5_050, "UAH"),
    ]
    (row,) = fold(deal, story.decide.journal).values()
    assert isinstance(row, deal.row) and row.external_ids == ("prom:123",)


def test_an_edit_changes_only_what_is_other() -> None:
    three = replace(TEA, quantity="3", total_minor=29_500)
    story = given(new(), new("edit", 1, total_minor=29_500, lines=(three,))).then(
        an(DealChanged, amount_minor=29_500, title=None, reference=None),
        an(DealLineChanged, line=CUP, removed=True),
        an(DealLineChanged, line=three, place=1, removed=False),
    )
    assert lines_of(story) == [(1, "TEA", "3", 10_000, 500, 29_500, "UAH")]
    story.when(new("late", lines=(TEA, CUP, CUP))).then(an(DeliveryNoted))
    assert lines_of(story) == [(1, "TEA", "3", 10_000, 500, 29_500, "UAH")]


def test_the_same_order_again_changes_nothing() -> None:
    given(new(), new("again")).then(an(DeliveryNoted, connector="prom"))
    given(new(), new("touched", 1)).then(an(ReportRecorded))


def test_lines_of_one_key_are_numbered() -> None:
    story = given(new(lines=(TEA, TEA)))
    assert [place for place, *_ in lines_of(story)] == [1, 2]
    assert [event.line.key for event in story.every(DealLineChanged)] == ["1", "1#2"]


def test_a_status_moves_the_stage_and_what_a_person_moved_since_stays() -> None:
    story = given(new(stage="in_progress")).moved(1, "new").when(new("touched", 1, stage="in_progress"))
    assert the_deal(story).stage == "new"
    story.when(new("sent", 2, stage="won")).then(an(DealStageMoved, stage="won", why="prom says so"))
    story.when(new("odd", 3, stage="shipped"))
    assert story.every(DealChanged)[0].doubts[0].startswith("There is no stage 'shipped': not moved.")


def test_a_cancelled_order_is_lost_and_restored_to_where_it_was() -> None:
    story = given(new(stage="in_progress"))
    story.when(new("cancel", 2, stage="in_progress", cancelled=True)).then(
        an(DealStageMoved, from_stage="in_progress", stage="lost", why="prom cancelled prom:123")
    )
    story.when(new("late", 1, stage="in_progress")).then(an(DeliveryNoted))
    story.when(new("restored", 3, stage="in_progress")).then(an(DealStageMoved, stage="in_progress"))


def test_a_deleted_order_is_lost_and_an_unknown_one_opens_nothing() -> None:
    story = given(new(), order("deleted", 1, deleted=True))
    assert the_deal(story).stage == "lost"
    story = given(order("deleted", 1, deleted=True)).then(an(ReportRecorded))
    story.when(new()).then(
        an(ContactCreated),
        an(DealOpened),
        an(DealAssigned),
        an(DealStageMoved, stage="lost"),
        an(DealLineChanged),
        an(DealLineChanged),
    )


def test_what_was_paid_is_a_payment_of_its_deal_and_a_refund_takes_it_off() -> None:
    story = given(new(), new("paid", 1, paid_minor=24_550)).then(
        an(ReportRecorded),
        an(PaymentRecorded, provider="prom", payment="123", status="settled", amount_minor=24_550),
        an(PaymentMatched, deal_id=DEAL, by="reference", why="the shop was paid for prom:123", suspicious=""),
        an(DealPaid, change_minor=24_550),
        an(DealStageMoved, stage="paid"),
    )
    story.when(new("refund", 2, paid_minor=24_550, refunded_minor=5_050, total_minor=19_500))
    assert (the_deal(story).paid_minor, the_deal(story).stage) == (19_500, "paid")
    story.when(new("all of it", 3, paid_minor=24_550, refunded_minor=24_550, cancelled=True))
    assert (the_deal(story).paid_minor, the_deal(story).stage) == (0, "lost")
    story.when(new("late", 2, paid_minor=24_550))
    assert the_deal(story).paid_minor == 0
    (row,) = fold(payment, story.decide.journal).values()
    assert isinstance(row, payment.row)
    assert (row.status, row.amount_minor, row.refunded_minor) == ("reversed", 24_550, 24_550)


def test_what_was_never_paid_is_no_payment_and_what_was_taken_back_counts_no_more() -> None:
    assert given(new(), new("touched", 1, status="received")).every(PaymentRecorded) == []
    story = given(new(paid_minor=100), new("mistake", 1))
    assert the_deal(story).paid_minor == 0
    assert known(story.state, Payment, named_id(SHOP, "payment/prom/123")).status == "failed"


@pytest.mark.parametrize(("received", "refunded"), [(-1, 0), (100, 101), (10**19, 0), (100, -1)])
def test_sums_that_cannot_be_true_are_doubted(received: int, refunded: int) -> None:
    story = given(new(paid_minor=received, refunded_minor=refunded))
    assert story.every(PaymentRecorded) == []
    assert "What was paid cannot be true" in story.every(DealOpened)[0].doubts[0]


def test_what_could_not_be_read_is_said_until_it_can_be() -> None:
    story = given(new(total_minor=None, doubts=("The total 'much' is no sum.",)))
    assert story.every(DealOpened)[0].doubts == ("The total 'much' is no sum.",)
    story.when(new("readable", 1)).then(an(DealChanged, amount_minor=24_550, doubts=()))


def test_too_many_lines_are_doubted_and_those_before_stay() -> None:
    story = given(new(), new("long", 1, lines=(TEA,) * 1_001)).then(
        an(DealChanged, doubts=("The order has 1001 lines; it has at most 1000: not changed.",))
    )
    assert len(lines_of(story)) == 2


def test_the_buyer_is_found_by_phone_and_a_payment_of_the_shops_other_order_is_none_of_it() -> None:
    story = given(form("1", phones=[OLEH], name="Oleh"), new(contact_key="9"), paid("1", 24_550, reference="prom:124"))
    assert len(story.contacts()) == 1
    assert the_deal(story).paid_minor == 0


def test_a_key_that_cannot_be_one_is_quarantined() -> None:
    story = given(new(system="Prom.ua")).then(an(FactQuarantined))
    assert story.events[0].reason.startswith("The system 'Prom.ua' cannot be one")


def test_orders_and_reports_of_deals_are_of_one_record() -> None:
    story = given(new(), deal_report("1", None, NOON + MINUTE, system="prom", key="123", title="Tea for Oleh"))
    (row,) = fold(deal, story.decide.journal).values()
    assert isinstance(row, deal.row) and (row.title, row.amount_minor) == ("Tea for Oleh", 24_550)


ORDERS = st.fixed_dictionaries(
    {"minutes": st.integers(0, 3)},
    optional={
        "stage": st.sampled_from(["new", "in_progress", "won", "shipped"]),
        "cancelled": st.booleans(),
        "deleted": st.just(True),
        "total_minor": st.sampled_from([100, 200, 24_550]),
        "paid_minor": st.sampled_from([0, 100, 200]),
        "refunded_minor": st.sampled_from([0, 0, 100]),
        "lines": st.lists(st.sampled_from([TEA, CUP, replace(TEA, quantity="1.25")]), max_size=3).map(tuple),
        "doubts": st.sampled_from([(), ("a",), ("b", "c")]),
    },
)
HISTORY = {"version": 0, "touched_at": NOON, "stage_reason": "", "owner_reason": "", "closed_at": None}


def after(facts: Iterable[Fact]) -> list[Any]:
    story = given(*facts)
    assert rebuilt(story.decide.journal)[SHOP] == story.state.things
    rows: list[Any] = [row for row in fold(deal, story.decide.journal).values()]
    # Money moves a stage forward and what it moved is a fact of its own time: the stage is compared without payments.
    deals = [replace(row, stage="", **HISTORY) for row in rows]
    lines = lines_of(story)
    found = [story.state.get(Payment, named_id(SHOP, "payment/prom/123"))]
    sums = [(one.amount_minor - one.refunded_minor) if one and one.amount_minor else 0 for one in found]
    return [deals, lines, sums]


@settings(deadline=None)
@for_any(st.lists(ORDERS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_order_of_reports_with_repeats_ends_in_the_same(said: Sequence[dict[str, Any]], random: Any) -> None:
    reports = [order(str(n), **one) for n, one in enumerate(said)]
    shuffled = [*reports, *(order(f"again {n}", **one) for n, one in enumerate(said) if random.random() < 0.5)]
    random.shuffle(shuffled)
    assert after(shuffled) == after(reports)


def test_every_order_of_open_edit_cancel_and_restore() -> None:
    reports = [
        new("1", 0, lines=(TEA,)),
        new("2", 1, lines=(TEA, CUP), paid_minor=24_550),
        new("3", 2, lines=(TEA, CUP), paid_minor=24_550, refunded_minor=24_550, cancelled=True),
        new("4", 3, lines=(CUP,), paid_minor=24_550, refunded_minor=5_000),
    ]
    ends = [after(order) for order in permutations(reports)]
    assert all(end == ends[0] for end in ends)
    assert ends[0][1:] == [[(1, "CUP", "1", 5_050, 0, 5_050, "UAH")], [19_550]]
