"""Properties that hold for any facts: deciding is idempotent, streams may interleave, one person is one card, and no
kopeck is lost."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.decisions.contacts import SHARED, card_of
from crm.decisions.settlement import given as given_to
from crm.engine.in_memory import MemoryState, rebuilt
from crm.envelope import Event, Fact
from crm.events import IdentifierAdded
from crm.scalars import Id
from crm.state import Contact, Deal, Identity, Load, Payment, fold, identifier_key
from crm.state.folds import FOLDS
from tests.support.fact_strategies import PHONES, any_facts, reports_of_one
from tests.support.scenarios import RULES, SHOP, Story, form, message, paid, phone

FACTS = any_facts()


def decide_all(facts: Iterable[Fact]) -> Story:
    return Story(*RULES).when(*facts)


def things(events: Iterable[Event]) -> dict[tuple[str, str], Any]:
    return rebuilt(events).get(SHOP, {})


@for_any(FACTS, st.randoms(use_true_random=False))
def test_deciding_is_idempotent(facts: list[Fact], random: Random) -> None:
    once = decide_all(facts)
    again = decide_all(repeated(facts, random))
    assert again.decide.journal == once.decide.journal
    assert again.state.things == once.state.things


def repeated(facts: list[Fact], random: Random) -> list[Fact]:
    """Each fact once more, somewhere after its first time."""
    out: list[Fact] = []
    for fact in facts:
        out.append(fact)
        if random.random() < 0.7:
            out.insert(random.randint(out.index(fact) + 1, len(out)), fact)
    return out


@for_any(FACTS)
def test_every_fact_leaves_an_event(facts: list[Fact]) -> None:
    story = decide_all(facts)
    assert {event.meta.cause for event in story.decide.journal} >= {fact.meta.id for fact in facts}
    ids = [event.meta.id for event in story.decide.journal]
    assert len(ids) == len({*ids})


@for_any(FACTS)
def test_the_state_is_a_fold_of_the_journal(facts: list[Fact]) -> None:
    story = decide_all(facts)
    assert things(story.decide.journal) == story.state.things


@for_any(FACTS, st.randoms(use_true_random=False))
def test_any_interleaving_of_streams_gives_the_same_state(facts: list[Fact], random: Random) -> None:
    story = decide_all(facts)
    assert things(interleaved(story.decide.journal, random)) == story.state.things


def interleaved(journal: list[Event], random: Random) -> list[Event]:
    """Each stream arrives late by a time of its own, and keeps its order."""
    late: defaultdict[Id, float] = defaultdict(lambda: random.uniform(0, 2 * len(journal)))
    arrival = {event.meta.id: place + late[event.meta.stream] for place, event in enumerate(journal)}
    return sorted(journal, key=lambda event: arrival[event.meta.id])


def test_the_law_of_interleaving_would_see_a_last_writer(monkeypatch: Any) -> None:
    """The bug that Identity's smallest id prevents: when the last writer wins, the old card undoes a merge."""
    own = message("2", message="2", shared_phone=phone(PHONES[0]), shared_is_own=True)
    journal = decide_all([form("1", phones=PHONES[:1]), message("1"), own]).decide.journal
    true_fold = FOLDS[IdentifierAdded]

    def last_writer(state: MemoryState, event: IdentifierAdded) -> None:
        true_fold(state, event)
        state.put(identifier_key(event.kind, event.value), Identity(event.contact_id))

    monkeypatch.setitem(FOLDS, IdentifierAdded, last_writer)
    states = [things(interleaved(journal, Random(seed))) for seed in range(20)]
    assert any(state != states[0] for state in states)


@for_any(FACTS, st.integers(0, 200))
def test_a_prefix_and_then_the_rest_is_all(facts: list[Fact], cut: int) -> None:
    journal = decide_all(facts).decide.journal
    state = MemoryState()
    state.things.update(things(journal[:cut]))
    for event in journal[cut:]:
        fold(state, event)
    assert state.things == things(journal)


@for_any(FACTS)
def test_what_two_cards_have_identifies_nobody(facts: list[Fact]) -> None:
    """And only what people share is had by two."""
    story = decide_all(facts)
    owned = Counter(way for contact in story.contacts() for way in contact.identifiers)
    for way, times in owned.items():
        found = card_of(story.state, way)
        assert times == 1 or (found is None and way.partition(":")[0] in SHARED)
        assert found is None or way in found.identifiers


@for_any(FACTS)
def test_no_kopeck_is_lost(facts: list[Fact]) -> None:
    """What the deals have is what their payments gave, and each deal knows it alone."""
    state = decide_all(facts).state
    deals = {deal.deal_id: deal for deal in state.things.values() if isinstance(deal, Deal)}
    paid_for: defaultdict[Id, int] = defaultdict(int)
    for payment in state.things.values():
        for deal_id in payment.deals if isinstance(payment, Payment) else ():
            paid_for[deal_id] += given_to(payment, deals[deal_id], "settled")
    assert {id: deal.paid_minor for id, deal in deals.items()} == {id: paid_for[id] for id in deals}


@for_any(FACTS)
def test_loads_and_open_deals_are_counted_right(facts: list[Fact]) -> None:
    state = decide_all(facts).state
    deals = [deal for deal in state.things.values() if isinstance(deal, Deal)]
    loads = {key: load.open_deals for (_, key), load in state.things.items() if isinstance(load, Load)}
    assert loads == {owner: sum(d.open and d.owner == owner for d in deals) for owner in loads}
    for contact in (thing for thing in state.things.values() if isinstance(thing, Contact)):
        open_ids = {deal.deal_id for deal in deals if deal.open and deal.contact_id == contact.contact_id}
        assert {*contact.open_deals} == open_ids


@settings(max_examples=200)
@for_any(st.lists(reports_of_one, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_payments_reports_does_not_matter(reports: list[dict[str, Any]], random: Random) -> None:
    deal = form("deal", phones=PHONES[:1], amount_minor=100, reference="R-1")
    facts = [paid(str(n), **said) for n, said in enumerate(reports)]
    shuffled = repeated(random.sample(facts, len(facts)), random)
    in_order, other = decide_all([deal, *facts]), decide_all([deal, *shuffled])
    # another order may have taken another number of events to get there
    assert replace(in_order.deal(1), version=0) == replace(other.deal(1), version=0)
    one, two = in_order.payment(), other.payment()
    assert (one.status, one.amount_minor, one.refunded_minor, one.deal_id) == (
        two.status,
        two.amount_minor,
        two.refunded_minor,
        two.deal_id,
    )
    assert in_order.deal(1).paid_minor == (given_to(one, in_order.deal(1), "settled") if one.deal_id else 0)
