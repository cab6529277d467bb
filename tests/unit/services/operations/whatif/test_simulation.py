"""Deciding a period again: the same rules change nothing, others exactly what they would have changed."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.decisions.case import Case
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.events import AssignmentRulesSet, CallUpdated, DealAssigned, DealStageMoved
from crm.moments import Clock
from crm.scalars import Id, Micros
from crm.shared import AssignmentRule
from crm.whatif import Rules
from services.operations.whatif.deal_outcomes import DealOutcomes, compared, shares
from services.operations.whatif.merge_order import in_causal_order
from services.operations.whatif.rules import read_rules
from services.operations.whatif.simulation import Phase, Simulation
from tests.support.fact_strategies import any_facts
from tests.support.scenarios import MINUTE, NOON, RULES, SHOP, call, form, meta, paid, shop

FOREVER = Micros(2**62)
TO_OLHA = Rules(rules=(AssignmentRule("all", ("olha",)),))
SAME = Rules(rules=tuple(rule for event in RULES for rule in getattr(event, "rules", ())))


def history(facts: Sequence[Fact], rules: Iterable[Event] = RULES) -> tuple[list[Event], dict[str, Fact]]:
    """The journal that these facts gave, and the facts by their ids."""
    memory = MemoryDecide()
    memory.append(*rules)
    for fact in facts:
        memory.take(fact)
    return memory.journal, {fact.meta.id: fact for fact in facts}


def tried(rules: Rules, facts: Sequence[Fact], since: int = NOON - 1, *more: Event) -> Simulation:
    journal, known = history(facts)
    simulation = Simulation(rules, Micros(since), FOREVER)
    for event in RULES:
        simulation.before(event)
    simulation.begin()
    for event in [*journal[len(RULES) :], *more]:
        simulation.take(event, known[event.meta.cause] if simulation.needs_fact(event) else None)
    return simulation


@given(any_facts())
def test_by_the_same_rules_nothing_differs(facts: list[Fact]) -> None:
    simulation = tried(SAME, facts)
    assert [(d.number, d.owner, d.stage) for d in simulation.outcome()] == [
        (d.number, d.would_owner, d.would_stage) for d in simulation.outcome()
    ]
    assert not simulation.failed


@given(any_facts())
def test_by_other_rules_it_is_as_if_they_had_been_set(facts: list[Fact]) -> None:
    """The simulation's deals are those of a journal that was decided by these rules from the beginning."""
    journal, _ = history(facts, shop(*(TO_OLHA.rules or ())))
    would = DealOutcomes()
    for event in journal:
        would.take(event)
    assert {d.deal_id: (d.owner, d.stage) for d in would.deals.values()} == {
        d.deal_id: (d.would_owner, d.would_stage) for d in tried(TO_OLHA, facts).outcome()
    }


def test_each_deal_is_compared_and_each_owner_counted() -> None:
    facts = [form("1", phones=["+380501112233"]), form("2", NOON + MINUTE, phones=["+380679998877"])]
    rows = tried(TO_OLHA, facts).outcome()
    assert [(r.number, r.owner, r.would_owner, r.differs) for r in rows] == [
        (1, "anna", "olha", True),
        (2, "borys", "olha", True),
    ]
    assert [(s.owner, s.deals, s.would_deals) for s in shares(rows)] == [
        ("anna", 1, 0),
        ("borys", 1, 0),
        ("olha", 0, 2),
    ]


def test_other_stages_are_tried_too() -> None:
    rules = Rules(stages=("new", "money"), paid_stage="money", part_paid_stage="money")
    facts = [form("1", phones=["+380501112233"], amount_minor=100, reference="R-1"), paid("1", 100, reference="R-1")]
    (row,) = tried(rules, facts).outcome()
    assert (row.stage, row.would_stage) == ("paid", "money")


def test_what_a_person_did_is_done_in_the_trial_too() -> None:
    facts = [form("1", phones=["+380501112233"])]
    journal, _ = history(facts)
    opened = next(event for event in journal if isinstance(event, DealAssigned))
    by_hand = DealStageMoved(
        meta("hand", NOON + 5 * MINUTE, opened.meta.stream), opened.deal_id, opened.contact_id, "new", "in_progress"
    )
    (row,) = tried(TO_OLHA, facts, NOON - 1, by_hand).outcome()
    assert (row.stage, row.would_stage, row.touch_s, row.would_touch_s) == ("in_progress", "in_progress", 300.0, None)


def test_a_call_is_the_first_touch() -> None:
    facts = [
        form("1", phones=["+380501112233"]),
        replace(call("2", "completed", "+380501112233", employee="anna"), meta=meta("call", NOON + 2 * MINUTE)),
    ]
    (row,) = tried(TO_OLHA, facts).outcome()
    assert (row.touch_s, row.would_owner, row.would_touch_s) == (120.0, "olha", None)
    was = DealOutcomes()
    for event in history(facts)[0]:
        was.take(event)
    assert any(isinstance(event, CallUpdated) for event in history(facts)[0])
    assert [row.would_touch_s for row in compared(was, was)] == [120.0]


def test_what_happened_before_the_period_stays_as_it_was() -> None:
    journal, known = history([form("1", phones=["+380501112233"]), form("2", NOON + MINUTE, phones=["+380679998877"])])
    simulation = Simulation(TO_OLHA, Micros(NOON + MINUTE), FOREVER)
    for event in journal:
        if event.meta.recorded_at < simulation.since:
            simulation.before(event)
        else:
            if not simulation.begun:
                simulation.begin()
            simulation.take(event, known[event.meta.cause] if simulation.needs_fact(event) else None)
    assert [(r.number, r.owner, r.would_owner) for r in simulation.outcome()] == [(2, "borys", "olha")]


def test_a_period_before_the_workspace_is_refused() -> None:
    simulation = Simulation(TO_OLHA, Micros(NOON - 2), Micros(NOON - 1))
    assert simulation.phase(RULES[0]) is Phase.AFTER
    with pytest.raises(ValueError, match="This workspace has no events before the end of the period") as refused:
        simulation.begin()
    assert "they were recorded from 2026-01-01T10:00:00Z on." in str(refused.value)
    with pytest.raises(ValueError, match="This workspace has no events yet"):
        Simulation(TO_OLHA, NOON, FOREVER).begin()


DAY = 24 * 60 * MINUTE


def imported_at_once(days: Sequence[int]) -> tuple[list[Event], dict[str, Fact]]:
    """Returns the journal of forms that were sent on these days before NOON, and imported together later."""
    memory, facts = MemoryDecide(), {}
    memory.append(*RULES)
    for day in days:
        fact = form(f"day {day}", NOON - day * DAY, phones=[f"+3805011122{day:02}"])
        facts[fact.meta.id] = fact
        memory.take(fact, Micros(NOON + DAY))
    return memory.journal, facts


def fed(simulation: Simulation, journal: Iterable[Event], facts: dict[str, Fact]) -> Simulation:
    """Feeds a simulation as `run.simulate` does."""
    for event in journal:
        match simulation.phase(event):
            case Phase.BEFORE:
                simulation.before(event)
            case Phase.WITHIN:
                if not simulation.begun:
                    simulation.begin()
                simulation.take(event, facts[event.meta.cause] if simulation.needs_fact(event) else None)
    return simulation


@given(days=st.permutations(range(1, 11)))
def test_imported_facts_are_tried_by_their_dates_in_any_order(days: list[int]) -> None:
    """By the time of recording there is one day, the day of the import: no month of the past could be tried."""
    journal, facts = imported_at_once(days)
    since, until = Micros(NOON - 6 * DAY), Micros(NOON - 2 * DAY)
    simulation = fed(Simulation(TO_OLHA, since, until, Clock.OCCURRED), journal, facts)
    rows = simulation.outcome()
    assert [NOON - row.opened_at for row in rows] == [6 * DAY, 5 * DAY, 4 * DAY, 3 * DAY]
    assert {row.would_owner for row in rows} == {"olha"}
    assert {row.owner for row in rows} <= {"anna", "borys"}
    assert (simulation.first, simulation.failed) == (NOON - 10 * DAY, {})


def test_rules_that_were_set_after_the_period_do_not_count_in_it() -> None:
    """The workspace is younger than the facts that were imported into it: its rules hold for them nevertheless."""
    journal, facts = imported_at_once([3, 2, 1])
    later = AssignmentRulesSet(replace(RULES[1].meta, id=Id("x")), 2, (AssignmentRule("late", ("petro",)),))
    clock = Clock.OCCURRED
    simulation = fed(Simulation(TO_OLHA, Micros(NOON - 3 * DAY), FOREVER, clock), [*journal, later], facts)
    assert [row.would_owner for row in simulation.outcome()] == ["olha"] * 3
    kept = fed(Simulation(Rules(stages=("new", "part_paid", "paid")), Micros(0), FOREVER, clock), journal, facts)
    assert [row.would_owner for row in kept.outcome()] == [row.owner for row in kept.outcome()]


def test_a_period_without_dated_facts_says_when_they_begin() -> None:
    journal, facts = imported_at_once([3])
    simulation = fed(Simulation(TO_OLHA, Micros(0), Micros(1), Clock.OCCURRED), journal, facts)
    assert simulation.nothing_there() == (
        "No fact of this workspace is dated in this period: they begin at 2025-12-29T10:00:00Z. Nothing was tried."
    )


def test_what_changes_most_comes_first() -> None:
    rows = tried(TO_OLHA, [form(str(n), NOON + n, phones=[f"+38050111223{n}"]) for n in range(3)]).outcome()
    assert [(s.owner, s.would_deals - s.deals) for s in sorted(shares(rows), key=lambda s: s.change)] == [
        ("olha", 3),
        ("anna", -2),
        ("borys", -1),
    ]
    moved = replace(rows[2], would_stage="paid")
    assert sorted([rows[0], moved, rows[1]], key=lambda row: row.change) == [moved, rows[0], rows[1]]


def test_facts_of_one_batch_come_in_the_order_of_their_decision() -> None:
    """A batch's events lie in several journal partitions under one moment; their order must not be that of the
    partitions: round robin would take other turns."""
    memory = MemoryDecide()
    memory.append(*RULES)
    facts = [form(str(n), NOON, phones=[f"+38050111223{n}"]) for n in range(6)]
    decided_events = [memory.take(fact, NOON) for fact in facts]
    scattered = [(5 - n % 3, event) for n, events in reversed([*enumerate(decided_events)]) for event in events]
    placed = sorted(scattered, key=lambda place: place[0])
    placed = [
        (p, event)
        for p in sorted({p for p, _ in placed})
        for events in decided_events
        for event in events
        if (p, event) in placed
    ]
    assert in_causal_order(placed) == [event for events in decided_events for event in events]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "is not a file of rules"),
        ("{}", "changes nothing"),
        ('{"rulez": []}', "unknown field `rulez`"),
        (
            '{"rules": [{"name": "x", "owners": ["a"], "pick": "best"}]}',
            "has the pick 'best'. Choose one of round_robin",
        ),
        ('{"rules": [{"name": "x", "owners": ["a"], "from_hour": 25}]}', "has hours outside of 0 to 24"),
    ],
)
def test_a_wrong_file_is_refused_in_a_sentence(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rules.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=said):
        read_rules(file)


def test_what_was_set_in_the_period_stands_where_the_trial_says_nothing() -> None:
    simulation = Simulation(Rules(stages=("new", "paid", "part_paid")), NOON, FOREVER)
    created, rules = shop(AssignmentRule("all", ("petro",)))
    simulation.before(created)
    simulation.begin()
    simulation.take(rules, None)
    fact = form("1", phones=["+380501112233"])
    journal, _ = history([fact], [created, rules])
    for event in journal[2:]:
        simulation.take(event, fact if simulation.needs_fact(event) else None)
    assert [(r.owner, r.would_owner) for r in simulation.outcome()] == [("petro", "petro")]


def test_stages_must_fit_each_other() -> None:
    with pytest.raises(ValueError, match="The stage 'paid' is not among a, b"):
        tried(Rules(stages=("a", "b")), [])


def test_a_case_of_the_trial_has_the_place_of_its_fact() -> None:
    """Ids of deals follow from the fact's id: the deal of the simulation is the deal that happened."""
    fact = form("1", phones=["+380501112233"])
    journal, _ = history([fact])
    (row,) = tried(TO_OLHA, [fact]).outcome()
    assert row.deal_id == Case(fact, MemoryDecide().states[SHOP], NOON).new_id("deal")
    assert journal[-1].meta.cause == fact.meta.id
