"""Stage rules tried on the past: what they would have done, of facts and of what people did, and nothing live."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.decisions.commands.stage_rule_define import RuleMessage, RuleTask, StageRule
from crm.envelope import Event
from crm.moments import Clock
from crm.scalars import Micros
from crm.whatif import Rules
from services.operations.whatif.simulation import Phase, Simulation
from services.operations.whatif.stage_rules import RuleTotal, totals
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import NOON, form, shop
from tests.support.stage_rules import GREET, HOUR, OLENA, PETRO, move, written

FOREVER = Micros(2**62)
CALL = StageRule(name="call", stage="new", task=RuleTask(title="Call {contact_name}"))
OFFER = StageRule(name="offer", stage="in_progress", message=RuleMessage(text="{contact_name}, {deal_number}"))
BILL = StageRule(name="bill", stage="in_progress", message=RuleMessage(text="{amount}"))


def tried(
    session: OperatorSession,
    facts: list[Any],
    rules: tuple[StageRule, ...],
    clock: Clock = Clock.RECORDED,
    since: int = NOON,
) -> Simulation:
    """Tries rules on the journal of a session that these facts came to."""
    known = {fact.meta.id: fact for fact in facts}
    simulation = Simulation(Rules(stage_rules=rules), Micros(since), FOREVER, clock)
    for event in session.decide.journal:
        if simulation.phase(event) is Phase.BEFORE or not simulation.workspace_exists:
            simulation.before(event)
            continue
        if not simulation.begun:
            simulation.begin()
        simulation.take(event, known[event.meta.cause] if simulation.needs_fact(event) else None)
    simulation.outcome()
    return simulation


def before_noon(*events: Event) -> OperatorSession:
    return OperatorSession(*(replace(e, meta=replace(e.meta, recorded_at=Micros(NOON - 1))) for e in events))


def test_facts_and_what_people_did_are_counted() -> None:
    facts = [form("1", phones=[OLENA], name="Olena"), form("2", phones=[PETRO]), written()]
    session = before_noon(*shop()).when(*facts)
    move(session, number=3)
    simulation = tried(session, facts, (CALL, OFFER, BILL))
    assert totals((CALL, OFFER, BILL), simulation.touched) == [
        RuleTotal("call", 3, 2, 0, 0, 1),
        RuleTotal("offer", 1, 0, 1, 0, 0),
        RuleTotal("bill", 1, 0, 0, 0, 1),
    ]
    assert [(one.rule, one.why, one.done, one.left_out) for one in simulation.touched] == [
        ("call", "D-1 reached new", ("Task for nobody: Call Olena",), ()),
        ("call", "D-2 reached new", (), ("No task: nothing is known for {contact_name}.",)),
        ("call", "D-3 reached new", ("Task for nobody: Call Olena",), ()),
        ("bill", "D-3 reached in_progress", (), ("No message: nothing is known for {amount}.",)),
        ("offer", "D-3 reached in_progress", ("Message by telegram: Olena, D-3",), ()),
    ]
    assert not simulation.failed


def test_what_the_rules_of_then_did_is_not_counted() -> None:
    session = before_noon(*shop())
    session.do("stage_rule_define", rule=GREET)
    facts = [form("1", phones=[OLENA], name="Olena")]
    session.when(*facts).do("stage_rule_define", rule={**GREET, "name": "later"})
    move(move(session), "new")
    rules = (OFFER,)
    simulation = tried(session, facts, rules)
    assert totals(rules, simulation.touched) == [RuleTotal("offer", 1, 0, 0, 0, 1)]
    assert not simulation.failed


def test_without_stage_rules_in_the_file_those_of_then_act_and_nothing_is_counted() -> None:
    session = before_noon(*shop())
    session.do("stage_rule_define", rule=GREET)
    facts = [form("1", phones=[OLENA], name="Olena")]
    simulation = Simulation(Rules(stages=("new", "in_progress", "part_paid", "paid")), Micros(NOON), FOREVER)
    for event in session.decide.journal:
        simulation.before(event)
    simulation.begin()
    session.when(*facts)
    for event in session.events:
        simulation.take(event, facts[0] if simulation.needs_fact(event) else None)
    simulation.outcome()
    assert (simulation.touched, simulation.failed) == ([], {})
    assert any(name == "Task" for name, _ in simulation.state.things)


@pytest.mark.parametrize(("clock", "deals"), [(Clock.RECORDED, 0), (Clock.OCCURRED, 1)])
def test_a_month_that_was_imported_later_is_tried_by_its_own_dates(clock: Clock, deals: int) -> None:
    session, late = before_noon(*shop()), form("1", phones=[OLENA], name="Olena")
    session.events = session.decide.take(late, Micros(NOON + 1000 * HOUR))
    simulation = tried(session, [late], (CALL,), clock)
    assert [total.deals for total in totals((CALL,), simulation.touched)] == [deals]


def test_a_rule_that_cannot_be_is_refused() -> None:
    simulation = Simulation(Rules(stage_rules=(StageRule(name="x", stage="nowhere"),)), Micros(NOON), FOREVER)
    for event in shop():
        simulation.before(event)
    with pytest.raises(ValueError) as refusal:
        simulation.begin()
    assert str(refusal.value) == (
        "A stage rule is wrong, in stage: There is no stage 'nowhere'; there are new, in_progress, part_paid, paid, "
        "won, lost. Nothing was tried."
    )
