"""Laws that hold whatever the facts: told twice is told once, streams may interleave, one person is one card, and no
kopeck is lost."""

from collections import defaultdict
from collections.abc import Iterable
from random import Random
from typing import Any

from hypothesis import given as for_any
from hypothesis import settings
from hypothesis import strategies as st

from crm.adapters.memory import MemoryState, rebuilt
from crm.decisions.settling import settled_minor
from crm.envelope import Event, Fact
from crm.scalars import Id
from crm.shared import AssignmentRule, Payer, Phone
from crm.state import Contact, Deal, Payment, fold
from crm.state.folds import FOLDS
from tests.given import MINUTE, NOON, SHOP, Story, call, form, message, paid, phone, shop

# Few values, so that facts meet often.
PHONES = ["+380501112233", "+380679998877", "+380630000001"]
EMAILS = ["a@ua.net", "b@ua.net"]
IBANS = ["", "UA213223130000026007233566001", "UA213223130000026007233566002"]
RULES = shop(
    AssignmentRule("Form", ("anna", "borys"), source="form"),
    AssignmentRule("Rest", ("olha", "petro"), pick="least_open"),
)

subset = lambda values: st.lists(st.sampled_from(values), max_size=2, unique=True)  # noqa: E731
forms = st.builds(
    lambda phones, emails, minutes, amount, reference, name: (
        "form",
        dict(
            at=NOON + minutes * MINUTE,
            phones=phones,
            emails=tuple(emails),
            amount_minor=amount,
            reference=reference,
            name=name,
        ),
    ),
    subset(PHONES),
    subset(EMAILS),
    st.integers(0, 30),
    st.sampled_from([None, 100, 250]),
    st.sampled_from(["", "R-1"]),
    st.sampled_from(["", "Oleh"]),
)
payments = st.builds(
    lambda name, amount, status, changed, refund, purpose, reference, number, iban, currency: (
        "paid",
        dict(
            payment=name,
            amount=amount,
            status=status,
            changed_at=NOON + changed,
            refunded_minor=refund,
            purpose=purpose,
            reference=reference,
            payer=Payer(phone=number, iban=iban),
            currency=currency,
        ),
    ),
    st.sampled_from("abc"),
    st.sampled_from([-100, 50, 100, 250]),
    st.sampled_from(["created", "held", "settled", "reversed", "failed"]),
    st.integers(0, 4),
    st.sampled_from([0, 30]),
    st.sampled_from(["", "D-1", "D-2", "D-1, D-3"]),
    st.sampled_from(["", "R-1"]),
    st.sampled_from(["", *PHONES]),
    st.sampled_from(IBANS),
    st.sampled_from(["UAH", "UAH", "USD"]),
)
calls = st.builds(
    lambda name, phase, number, text, direction: (
        "call",
        dict(call=name, phase=phase, phone=Phone(text or number, number), direction=direction),
    ),
    st.sampled_from("xyz"),
    st.sampled_from(["ringing", "answered", "completed"]),
    st.sampled_from(["", *PHONES]),
    st.sampled_from(["", "hidden"]),
    st.sampled_from(["in", "in", "out"]),
)
messages = st.builds(
    lambda chat, number, kind, text, edited, shared, own: (
        "message",
        dict(
            chat=chat,
            sender=chat,
            message=number,
            chat_kind=kind,
            text=text,
            edited_at=edited and NOON + edited,
            shared_phone=shared and phone(shared),
            shared_is_own=own,
        ),
    ),
    st.sampled_from(["7", "8"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["private", "private", "group"]),
    st.text(max_size=3),
    st.sampled_from([None, None, 1, 2]),
    st.sampled_from([None, *PHONES]),
    st.booleans(),
)
MAKE: dict[str, Any] = {"form": form, "paid": paid, "call": call, "message": message}
told = st.lists(st.one_of(forms, payments, calls, messages), max_size=14).map(
    lambda said: [MAKE[kind](str(n), **fields) for n, (kind, fields) in enumerate(said)]
)


def all_told(facts: Iterable[Fact]) -> Story:
    return Story(*RULES).when(*facts)


def things(events: Iterable[Event]) -> dict[tuple[str, str], Any]:
    return rebuilt(events).get(SHOP, {})


@for_any(told, st.randoms(use_true_random=False))
def test_told_twice_is_told_once(facts: list[Fact], random: Random) -> None:
    once = all_told(facts)
    again = all_told(repeated(facts, random))
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


@for_any(told)
def test_every_fact_leaves_an_event(facts: list[Fact]) -> None:
    story = all_told(facts)
    assert {event.meta.cause for event in story.decide.journal} >= {fact.meta.id for fact in facts}
    ids = [event.meta.id for event in story.decide.journal]
    assert len(ids) == len({*ids})


@for_any(told)
def test_the_state_is_a_fold_of_the_journal(facts: list[Fact]) -> None:
    story = all_told(facts)
    assert things(story.decide.journal) == story.state.things


@for_any(told, st.randoms(use_true_random=False))
def test_any_interleaving_of_streams_gives_the_same_state(facts: list[Fact], random: Random) -> None:
    story = all_told(facts)
    assert things(interleaved(story.decide.journal, random)) == story.state.things


def interleaved(journal: Iterable[Event], random: Random) -> list[Event]:
    """Some other order of the same events in which each stream keeps its own."""
    streams: defaultdict[Id, list[Event]] = defaultdict(list)
    for event in journal:
        streams[event.meta.stream].append(event)
    left, out = [iter(events) for events in streams.values()], []
    while left:
        stream = random.choice(left)
        event = next(stream, None)
        if event is None:
            left.remove(stream)
        else:
            out.append(event)
    return out


def test_the_law_of_interleaving_would_see_a_last_writer(monkeypatch: Any) -> None:
    """The bug that Identity's smallest id prevents: written by whoever comes last, a merge is undone by the old card."""
    from crm.events import IdentifierAdded
    from crm.state import Identity, identifier

    story = all_told(
        [
            form("1", phones=PHONES[:1]),
            message("1"),
            message("2", message="2", shared_phone=phone(PHONES[0]), shared_is_own=True),
        ]
    )
    true_fold = FOLDS[IdentifierAdded]

    def last_writer(state: MemoryState, event: IdentifierAdded) -> None:
        true_fold(state, event)
        state.put(identifier(event.kind, event.value), Identity(event.contact_id))

    monkeypatch.setitem(FOLDS, IdentifierAdded, last_writer)
    states = [things(interleaved(story.decide.journal, Random(seed))) for seed in range(20)]
    assert any(state != states[0] for state in states)


@for_any(told, st.integers(0, 200))
def test_a_prefix_and_then_the_rest_is_all(facts: list[Fact], cut: int) -> None:
    journal = all_told(facts).decide.journal
    state = MemoryState()
    state.things.update(things(journal[:cut]))
    for event in journal[cut:]:
        fold(state, event)
    assert state.things == things(journal)


@for_any(told)
def test_no_two_cards_have_the_same_identifier(facts: list[Fact]) -> None:
    story = all_told(facts)
    owned = [way for contact in story.contacts() for way in contact.identifiers]
    assert len(owned) == len({*owned})


@for_any(told)
def test_no_kopeck_is_lost(facts: list[Fact]) -> None:
    """What the deals have is what their payments gave, and each deal knows it alone."""
    state = all_told(facts).state
    assert_money(state)


def assert_money(state: MemoryState) -> None:
    deals = {deal.deal_id: deal for deal in state.things.values() if isinstance(deal, Deal)}
    paid_for: defaultdict[Id, int] = defaultdict(int)
    for payment in state.things.values():
        if isinstance(payment, Payment) and payment.deal_id:
            paid_for[payment.deal_id] += settled_minor(payment, deals[payment.deal_id].currency)
    assert {id: deal.paid_minor for id, deal in deals.items()} == {id: paid_for[id] for id in deals}


@for_any(told)
def test_loads_and_open_deals_are_counted_right(facts: list[Fact]) -> None:
    state = all_told(facts).state
    deals = [deal for deal in state.things.values() if isinstance(deal, Deal)]
    loads = {key: load.open_deals for (kind, key), load in state.things.items() if kind == "Load"}  # type: ignore[attr-defined]
    assert loads == {owner: sum(d.open and d.owner == owner for d in deals) for owner in loads}
    for contact in (thing for thing in state.things.values() if isinstance(thing, Contact)):
        open_ids = {deal.deal_id for deal in deals if deal.open and deal.contact_id == contact.contact_id}
        assert {*contact.open_deals} == open_ids


report = st.fixed_dictionaries(
    {
        "status": st.sampled_from(["created", "held", "settled", "reversed", "failed", "expired"]),
        "changed_at": st.integers(NOON, NOON + 3),
        "amount": st.integers(0, 300),
        "refunded_minor": st.integers(0, 300),
        "reference": st.sampled_from(["", "R-1"]),
        "purpose": st.sampled_from(["", "D-1"]),
    }
)


@settings(max_examples=200)
@for_any(st.lists(report, min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_a_payments_reports_does_not_matter(reports: list[dict[str, Any]], random: Random) -> None:
    deal = form("deal", phones=PHONES[:1], amount_minor=100, reference="R-1")
    facts = [paid(str(n), **said) for n, said in enumerate(reports)]
    shuffled = repeated(random.sample(facts, len(facts)), random)
    in_order, other = all_told([deal, *facts]), all_told([deal, *shuffled])
    assert in_order.deal(1) == other.deal(1)
    one, two = in_order.payment(), other.payment()
    assert (one.status, one.amount_minor, one.refunded_minor, one.deal_id) == (
        two.status,
        two.amount_minor,
        two.refunded_minor,
        two.deal_id,
    )
    assert in_order.deal(1).paid_minor == (settled_minor(one, "UAH") if one.deal_id else 0)
