"""Reports of one key end in the same rows, in whatever order they come and however often; and the state is a fold."""

from collections.abc import Iterable, Sequence
from itertools import permutations
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.engine.in_memory import rebuilt
from crm.envelope import Fact
from projections.contact import ContactRow, contact
from projections.deal import deal
from tests.support.projection_events import fold
from tests.support.scenarios import MINUTE, NOON, SHOP, contact_report, deal_report, given, phone

OLEH, PETRO = "+380501112233", "+380679998877"

DEAL_REPORTS = st.fixed_dictionaries(
    {"version": st.integers(1, 4), "at": st.integers(0, 3).map(lambda minutes: NOON + minutes * MINUTE)},
    optional={
        "title": st.sampled_from(["a", "b"]),
        "stage": st.sampled_from(["new", "paid", "won", "shipped"]),
        "owner": st.sampled_from(["", "anna", "o" * 300]),
        "reference": st.sampled_from(["", "R-1"]),
        "amount_minor": st.sampled_from([0, 100, -1]),
        "deleted": st.sampled_from([True, True, False]),
        "fields": st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["1", '"a"', "null"]), max_size=2),
        "phones": st.sampled_from([(phone(OLEH),), (phone("+380679998877"),)]),
    },
)
# They tell the way that a row went, or of moments that changed nothing.
HISTORY = {"version": 0, "touched_at": NOON, "stage_reason": "", "owner_reason": "", "closed_at": None}


def deal_after(facts: Iterable[Fact]) -> tuple[dict[Any, Any], list[Any]]:
    story = given(*facts)
    assert rebuilt(story.decide.journal)[SHOP] == story.state.things
    rows = {key: replace(row, **HISTORY) for key, row in fold(deal, story.decide.journal).items()}
    cards = [
        replace(contact, version=0, identifiers=tuple(sorted(contact.identifiers)), owner="")
        for contact in story.contacts()
    ]
    return rows, cards


@settings(deadline=None)
@for_any(st.lists(DEAL_REPORTS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_order_of_reports_with_repeats_ends_in_the_same_rows(said: Sequence[dict[str, Any]], random: Any) -> None:
    reports = [deal_report(str(n), contact_key="42", **one) for n, one in enumerate(said)]
    repeats = [
        deal_report(f"again {n}", contact_key="42", **one) for n, one in enumerate(said) if random.random() < 0.5
    ]
    shuffled = [*reports, *repeats]
    random.shuffle(shuffled)
    assert deal_after(shuffled) == deal_after(reports)


def test_every_order_of_a_deals_create_change_delete_and_restore() -> None:
    reports = [
        deal_report("1", 1, NOON, stage="new", title="a"),
        deal_report("2", 2, NOON + MINUTE, deleted=True),
        deal_report("3", 3, NOON + 2 * MINUTE, title="b"),
        deal_report("4", 3, NOON + 3 * MINUTE, title="c"),
    ]
    ends = [deal_after(order) for order in permutations(reports)]
    assert all(end == ends[0] for end in ends)
    (row,) = ends[0][0].values()
    assert (row.stage, row.title, row.opened_at) == ("new", "c", NOON)


CONTACT_REPORTS = st.fixed_dictionaries(
    {"version": st.integers(1, 4), "at": st.integers(0, 3).map(lambda minutes: NOON + minutes * MINUTE)},
    optional={
        "name": st.sampled_from(["Oleh", "Petro", "x" * 300]),
        "deleted": st.sampled_from([True, True, False]),
        "fields": st.dictionaries(st.sampled_from(["x", "y"]), st.sampled_from(["1", '"a"', "null"]), max_size=2),
        "phones": st.sampled_from([(phone(OLEH),), (phone(PETRO),)]),
        "emails": st.sampled_from([("o@x.ua",), ("nonsense",)]),
    },
)


def card_after(facts: Iterable[Fact]) -> list[Any]:
    story = given(*facts)
    assert rebuilt(story.decide.journal)[SHOP] == story.state.things
    rows = [row for row in fold(contact, story.decide.journal).values() if isinstance(row, ContactRow)]
    alike: dict[str, Any] = {"version": 0, "touched_at": NOON, "phone_texts": ()}
    return [
        replace(row, phones=tuple(sorted(row.phones)), accounts=tuple(sorted(row.accounts)), **alike) for row in rows
    ]


@settings(deadline=None)
@for_any(st.lists(CONTACT_REPORTS, min_size=1, max_size=5), st.randoms(use_true_random=False))
def test_any_order_of_reports_with_repeats_ends_in_the_same_card(said: Sequence[dict[str, Any]], random: Any) -> None:
    """But for the order in which its telephones were learnt."""
    reports = [contact_report(str(n), **one) for n, one in enumerate(said)]
    repeats = [contact_report(f"again {n}", **one) for n, one in enumerate(said) if random.random() < 0.5]
    shuffled = [*reports, *repeats]
    random.shuffle(shuffled)
    assert card_after(shuffled) == card_after(reports)


def test_every_order_of_a_contacts_create_change_delete_and_restore() -> None:
    reports = [
        contact_report("1", 1, NOON, name="Oleh"),
        contact_report("2", 2, NOON + MINUTE, deleted=True),
        contact_report("3", 3, NOON + 2 * MINUTE, fields={"x": "1"}),
    ]
    ends = [card_after(order) for order in permutations(reports)]
    assert all(end == ends[0] for end in ends)
    assert (ends[0][0].accounts, ends[0][0].created_at) == (("shop:42",), NOON)
