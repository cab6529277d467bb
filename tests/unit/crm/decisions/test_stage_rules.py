"""Stage rules: what they do when a deal reaches their stage, once, and what they leave out and say why."""

from typing import Any

import pytest
from msgspec.structs import replace

from crm.engine.in_memory import rebuilt
from crm.envelope import Fact
from crm.events import (
    DealAssigned,
    DealOpened,
    DealPaid,
    DealStageMoved,
    PaymentMatched,
    PaymentRecorded,
    ReplyQueued,
    StageRuleApplied,
    TaskAdded,
)
from crm.scalars import Micros
from crm.shared import AssignmentRule
from crm.versions import OPEN_API
from tests.support.scenarios import MINUTE, NOON, RAW, SHOP, an, deal_report, form, paid, shop
from tests.support.stage_rules import (
    GREET,
    HOUR,
    OFFER,
    PETRO,
    applied,
    lead,
    move,
    rules_of,
    session_with,
    written,
)


def test_a_new_deal_gets_its_task_in_the_decision_that_opened_it() -> None:
    session = session_with(GREET).when(lead())
    opened, _, ruled, task = session.events[-4:]
    assert [type(event) for event in session.events[-4:]] == [DealOpened, DealAssigned, StageRuleApplied, TaskAdded]
    assert (ruled.rule, ruled.version, ruled.stage, ruled.why) == ("greet", 1, "new", "D-1 reached new")
    assert (ruled.done, ruled.left_out) == (("Task for nobody: Call Olena",), ())
    assert (ruled.task_id, ruled.message_id, ruled.webhook_id) == (task.task_id, None, None)
    assert (task.deal_id, task.contact_id, task.title) == (opened.deal_id, opened.contact_id, "Call Olena")
    assert (task.due_at, task.owner) == (NOON + 2 * HOUR, "")
    assert task.why == "rule “greet” (version 1): D-1 reached new"
    assert {event.meta.cause for event in session.events} == {opened.meta.cause}
    assert (task.meta.actor, task.meta.stream) == ("rule greet", opened.contact_id)


def test_a_task_is_of_the_owner_whom_the_same_decision_chose() -> None:
    session = session_with(GREET, before=shop(AssignmentRule("all", ("anna",)))).when(lead())
    assert session.events[-1].owner == "anna"


def test_a_task_is_of_the_owner_whom_the_rule_names_and_due_after_days() -> None:
    task = {"title": "Pack", "owner": "petro", "due_days": 1, "due_hours": 3}
    session = session_with({"name": "pack", "stage": "new", "task": task}).when(lead())
    assert (session.events[-1].owner, session.events[-1].due_at) == ("petro", NOON + 27 * HOUR)


def test_a_task_is_not_given_to_a_retired_owner() -> None:
    session = session_with({**GREET, "stage": "in_progress"})
    session.do("owner_add", key="anna").when(lead())
    session.do("deal_assign", deal_id=session.id_of(), owner="anna").do("owner_retire", key="anna")
    assert move(session).events[-1].owner == ""


def test_a_task_whose_title_lacks_a_value_is_left_out() -> None:
    session = session_with({"name": "bill", "stage": "new", "task": {"title": "Bill {amount}"}}).when(lead())
    (ruled,) = applied(session)
    assert (ruled.left_out, ruled.task_id) == (("No task: nothing is known for {amount}.",), None)
    assert session.events[-1] == ruled


def test_a_webhook_is_named_by_the_event_itself() -> None:
    session = session_with()
    hook = session.do("webhook_add", url="https://example.com/", types=["NoteAdded"]).events[0].webhook_id
    session.do("stage_rule_define", rule={"name": "tell", "stage": "new", "webhook_id": hook}).when(lead())
    (ruled,) = applied(session)
    assert (ruled.webhook_id, ruled.done, session.events[-1]) == (hook, ("A webhook is sent this.",), ruled)


def test_a_rule_acts_once_on_a_deal() -> None:
    """Dragging a card back and forth must not write to the customer each time."""
    session = session_with(OFFER).when(written())
    assert [len(applied(move(session, stage))) for stage in ("in_progress", "new", "in_progress")] == [1, 0, 0]
    session.do("stage_rule_define", rule={**OFFER, "message": {"text": "Changed"}})
    move(session, "new")
    assert applied(move(session)) == []


def test_what_a_rule_does_sets_off_no_rule() -> None:
    every = [{**GREET, "name": stage, "stage": stage} for stage in ("new", "in_progress", "part_paid", "paid")]
    session = move(session_with(*every).when(lead()), "paid")
    assert [event.rule for event in applied(session)] == ["paid"]
    assert [type(event) for event in session.events] == [DealStageMoved, StageRuleApplied, TaskAdded]


def test_all_rules_of_a_stage_act_in_the_order_of_their_names() -> None:
    session = session_with({**GREET, "name": "b"}, {**GREET, "name": "a"}, {**GREET, "name": "c", "enabled": False})
    assert [event.rule for event in applied(session.when(lead()))] == ["a", "b"]


def test_money_moves_a_deal_to_a_stage_like_anybody() -> None:
    session = session_with({**GREET, "stage": "paid"}).when(lead(amount_minor=100, reference="R-1"))
    session.when(paid("1", 100, reference="R-1")).then(
        an(PaymentRecorded),
        an(PaymentMatched),
        an(DealPaid),
        an(DealStageMoved, stage="paid"),
        an(StageRuleApplied, rule="greet"),
        an(TaskAdded, title="Call Olena"),
    )


def test_a_stage_that_is_only_passed_through_is_not_reached() -> None:
    """A deal whose first report says that it was merged away never stood among the new ones."""
    session = session_with(GREET, {**GREET, "name": "lost", "stage": "lost", "task": {"title": "Look"}})
    session.when(deal_report("1", changed_at=NOON, merged_into="18"))
    assert [event.stage for event in session.every(DealOpened)] == ["new"]
    assert [event.rule for event in applied(session)] == ["lost"]


@pytest.mark.parametrize(
    ("rule", "acts"),
    [
        ({"source": "form"}, True),
        ({"source": "chat"}, False),
        ({"owner": "anna"}, True),
        ({"owner": "borys"}, False),
        ({"amount_at_least": {"minor": 5000}}, True),
        ({"amount_at_least": {"minor": 5001}}, False),
        ({"amount_at_least": {"minor": 1, "currency": "EUR"}}, False),
    ],
)
def test_conditions(rule: dict[str, Any], acts: bool) -> None:
    session = session_with({**GREET, **rule}, before=shop(AssignmentRule("all", ("anna",))))
    assert bool(applied(session.when(lead(amount_minor=5000)))) is acts


def test_the_reason_says_what_fitted() -> None:
    rule = {**GREET, "source": "form", "owner": "anna", "amount_at_least": {"minor": 100}}
    session = session_with(rule, before=shop(AssignmentRule("all", ("anna",)))).when(lead(amount_minor=5000))
    (ruled,) = applied(session)
    assert ruled.why == "D-1 reached new, its source is form, its owner is anna, it is worth 50.00 UAH"


def test_a_robots_form_sets_off_nothing() -> None:
    assert applied(session_with(GREET).when(lead(suspicious="it came within a second"))) == []


def test_what_is_older_than_two_days_sets_off_nothing() -> None:
    for late, acts in ((48 * HOUR, 1), (48 * HOUR + 1, 0)):
        session = session_with(GREET)
        session.events = session.decide.take(lead(), Micros(NOON + late))
        assert len(applied(session)) == acts


def test_a_row_of_a_file_sets_off_nothing() -> None:
    def row(query: str, **said: Any) -> Fact:
        fact = deal_report("1", changed_at=NOON, **said)
        return replace(fact, meta=replace(fact.meta, actor=OPEN_API), raw=replace(RAW, query=query))

    assert applied(session_with(GREET).when(row("import=1&row=2", name="Olena"))) == []
    assert len(applied(session_with(GREET).when(row("", name="Olena")))) == 1


def test_a_report_that_does_not_say_when_sets_off_nothing() -> None:
    """The first synchronisation of ten thousand deals without their times must not write to ten thousand people."""

    def report(**said: Any) -> Fact:
        fact = deal_report("1", name="Olena", **said)
        return replace(fact, meta=replace(fact.meta, actor=OPEN_API))

    assert applied(session_with(GREET).when(report())) == []
    assert len(applied(session_with(GREET).when(report(changed_at=NOON)))) == 1
    dated = report()
    dated = replace(dated, meta=replace(dated.meta, recorded_at=Micros(NOON + MINUTE)))
    assert len(applied(session_with(GREET).when(dated))) == 1


def test_a_command_that_says_when_it_happened_sets_off_nothing() -> None:
    session = session_with({**GREET, "stage": "in_progress"}).when(lead())
    session.do("deal_move_stage", deal_id=session.id_of(), stage="in_progress", occurred_at=NOON - HOUR)
    session.then(an(DealStageMoved))


def test_a_rule_that_is_off_does_not_make_up_for_what_it_missed() -> None:
    session = session_with({**GREET, "enabled": False}).when(lead())
    (id,) = rules_of(session)
    session.do("stage_rule_switch", stage_rule_id=id, enabled=True)
    assert session.every(TaskAdded) == []
    assert len(applied(session.when(form("2", NOON + MINUTE, [PETRO], name="Petro")))) == 1


def test_a_removed_rule_acts_no_more() -> None:
    session = session_with(GREET)
    (id,) = rules_of(session)
    session.do("stage_rule_remove", stage_rule_id=id)
    assert (applied(session.when(lead())), rules_of(session)) == ([], [])


def test_a_replay_gives_the_same_and_writes_to_nobody_again() -> None:
    session = move(session_with(GREET, OFFER).when(written()))
    assert rebuilt(session.decide.journal)[SHOP] == session.state.things
    assert session.decide.take(written()) == []
    assert len(session.every(ReplyQueued)) == 1
