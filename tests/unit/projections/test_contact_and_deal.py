"""The rows of a lead: who it is, what it wants, where it stands."""

from hypothesis import given as for_any
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.decisions.case import Entity
from crm.engine.in_memory import MemoryState
from crm.envelope import Event
from crm.events import (
    ContactChanged,
    ContactCreated,
    ContactMerged,
    ContactRenamed,
    DealAssigned,
    DealOpened,
    DealPaid,
    DealStageMoved,
    IdentifierAdded,
    IdentifierRemoved,
    ReportRecorded,
)
from crm.scalars import Micros, SortKey
from crm.shared import ContactIdentifier, Report
from crm.state import Contact, known
from crm.state import fold as remembered
from projections.contact import ContactRow, contact
from projections.deal import DealRow, deal
from tests.support.projection_events import DEAL, FILE, FILE_TEXT, NOON, OLENA, PAYMENT, an_id, meta, row_of

CREATED = ContactCreated(meta("1"), OLENA, "Olena", "form")
OPENED = DealOpened(
    meta("2"), DEAL, OLENA, 7, "Desk", 20200, "UAH", "new", "form", "order", "/desk", "ORDER-1",
    fields={"size": '"L"', "count": "7"}, utm={"utm_source": "google"}, files=(FILE,), suspicious="filled in 0.1 s",
)  # fmt: skip
DEAL_ROW = DealRow(
    DEAL, OLENA, 7, "Desk", 20200, 0, 0, "UAH", "new", "", "", "form", "order", "/desk", "ORDER-1",
    {"size": '"L"', "count": "7"}, {"utm_source": '"google"'}, (FILE_TEXT,), "filled in 0.1 s", NOON, NOON,
)  # fmt: skip


def test_a_contact_is_known_by_all_that_was_learnt_of_it() -> None:
    learnt = (
        IdentifierAdded(meta("a", 1), OLENA, "phone", "+380671234567", "067 123 45 67"),
        IdentifierAdded(meta("b", 2), OLENA, "email", "olena@example.com"),
        IdentifierAdded(meta("c", 3), OLENA, "telegram", "123"),
        IdentifierAdded(meta("d", 4), OLENA, "phone", "+380671234567", "+38 067 1234567"),
        ContactRenamed(meta("e", 5), OLENA, "Olena Koval"),
    )
    assert row_of(contact, CREATED, *learnt) == ContactRow(
        OLENA, "Olena Koval", "form", ("+380671234567",), ("olena@example.com",), ("telegram:123",), None, NOON,
        Micros(NOON + 5), version=6, phone_texts=("067 123 45 67",), name_key=SortKey("olena koval"),
    )  # fmt: skip


def test_a_number_and_how_it_was_given_go_together() -> None:
    learnt = (
        IdentifierAdded(meta("a", 1), OLENA, "phone", "+380671234567", "067 123 45 67"),
        IdentifierAdded(meta("b", 2), OLENA, "phone", "+380501112233"),
        IdentifierRemoved(meta("c", 3), OLENA, "phone", "+380671234567", "by hand"),
    )
    row = row_of(contact, CREATED, *learnt[:2])
    assert row.phone_texts == ("067 123 45 67", "+380501112233")
    row = row_of(contact, CREATED, *learnt)
    assert (row.phones, row.phone_texts) == (("+380501112233",), ("+380501112233",))


def test_a_merged_contact_points_to_the_one_that_stays() -> None:
    merged = ContactMerged(meta("a", 1), OLENA, an_id("Olena K."), "same passport")
    assert row_of(contact, CREATED, merged) == ContactRow(
        OLENA, "Olena", "form", (), (), (), an_id("Olena K."), NOON, Micros(NOON + 1), version=2,
        name_key=SortKey("olena"),
    )  # fmt: skip


def test_what_happened_earlier_but_is_reported_later_does_not_turn_the_clock_back() -> None:
    assert row_of(contact, CREATED, ContactRenamed(meta("a", -9), OLENA, "O.")).touched_at == NOON


def test_a_deal_opens_with_all_that_came_with_it() -> None:
    assert row_of(deal, OPENED) == DEAL_ROW


def test_a_deal_is_assigned_paid_and_moved() -> None:
    steps = (
        DealAssigned(meta("a", 1), DEAL, OLENA, "taras@shop.ua", "evening", 2, "rule evening: round robin"),
        DealPaid(meta("b", 2), DEAL, OLENA, PAYMENT, 20200, 20200, 100, "UAH", "paid in full"),
        DealStageMoved(meta("c", 3), DEAL, OLENA, "new", "won"),
    )
    assert row_of(deal, OPENED, *steps) == replace(
        DEAL_ROW,
        owner="taras@shop.ua",
        owner_reason="rule evening: round robin",
        paid_minor=20200,
        held_minor=100,
        stage="won",
        version=4,
        touched_at=Micros(NOON + 3),
        closed_at=Micros(NOON + 3),
    )


def test_events_of_a_deal_that_never_opened_make_no_row() -> None:
    assert row_of(deal, DealStageMoved(meta("a"), DEAL, OLENA, "new", "won")) is None


def test_a_deal_is_closed_when_it_is_won_or_lost_and_open_again_when_it_goes_back() -> None:
    def moved(key: str, at: int, stage: str) -> DealStageMoved:
        return DealStageMoved(meta(key, at), DEAL, OLENA, "new", stage)

    assert row_of(deal, OPENED).closed_at is None
    assert row_of(deal, OPENED, moved("a", 1, "talks")).closed_at is None
    won = row_of(deal, OPENED, moved("a", 1, "won"), DealPaid(meta("b", 2), DEAL, OLENA, PAYMENT, 5, 5, 0, "UAH", ""))
    assert won.closed_at == NOON + 1
    assert row_of(deal, OPENED, moved("a", 1, "lost"), moved("b", 2, "won")).closed_at == NOON + 2
    assert row_of(deal, OPENED, moved("a", 1, "won"), moved("b", 2, "talks")).closed_at is None
    assert row_of(deal, replace(OPENED, stage="won")).closed_at == NOON


IDENTIFIERS = st.builds(
    ContactIdentifier, st.sampled_from(("phone", "email", "telegram", "shop")), st.sampled_from(("1", "2")), st.text()
)
FIELDS = st.dictionaries(st.sampled_from(("size", "city")), st.sampled_from(('"L"', "7", "null")))
REPORTS = st.none() | st.builds(Report, st.just("contact"), st.just("shop"), st.just("42"), st.integers(1, 3), FIELDS)


@for_any(st.lists(IDENTIFIERS, unique_by=lambda one: (one.kind, one.value)), FIELDS, REPORTS)
def test_a_card_made_with_all_that_is_known_is_as_one_that_learns_it(
    known_by: list[ContactIdentifier], fields: dict[str, str], report: Report | None
) -> None:
    at_once = replace(CREATED, identifiers=tuple(known_by), fields=fields, report=report)
    one_by_one: list[Event] = [CREATED]
    one_by_one += [IdentifierAdded(meta(), OLENA, one.kind, one.value, one.text) for one in known_by]
    one_by_one += [ContactChanged(meta(), OLENA, fields), *([ReportRecorded(meta(), report, OLENA)] if report else [])]
    assert row_of(contact, at_once) == replace(row_of(contact, *one_by_one), version=1)
    assert state_of(at_once) == state_of(*one_by_one)


def state_of(*events: Event) -> dict[tuple[str, str], Entity]:
    """Returns all that is remembered, but for how many events a card is a fold of."""
    state = MemoryState()
    for event in events:
        remembered(state, event)
    state.put(OLENA, replace(known(state, Contact, OLENA), version=1))
    return state.things
