"""Messages of stage rules: where they go, as text or template, and why they are left out."""

import pytest

from crm.events import (
    ConversationOpened,
    DealStageMoved,
    ReplyQueued,
    StageRuleApplied,
)
from crm.shared import Template
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import MINUTE, NOON
from tests.support.stage_rules import HOUR, OFFER, TEMPLATE, applied, lead, move, session_with, written


def left_out(session: OperatorSession) -> str:
    """Returns why the message of the last decision's only rule was left out, having checked that none was sent."""
    assert not [event for event in session.events if isinstance(event, ReplyQueued)]
    ((why,),) = [event.left_out for event in applied(session)]
    return why


def test_a_message_is_queued_where_the_customer_last_wrote() -> None:
    session = move(session_with(OFFER).when(written()))
    (opened,) = session.every(ConversationOpened)
    moved, ruled, queued = session.events
    assert (type(moved), type(ruled), type(queued)) == (DealStageMoved, StageRuleApplied, ReplyQueued)
    assert queued.conversation_id == opened.conversation_id
    assert (queued.connector, queued.chat, queued.asked_at) == ("telegram", "77", NOON)
    assert queued.text == "Olena, D-1 is on its way."
    assert (queued.author, queued.stage_rule_id) == ("rule offer", ruled.stage_rule_id)
    assert queued.why == "rule “offer” (version 1): D-1 reached in_progress"
    assert (ruled.message_id, ruled.done) == (
        queued.message_id,
        ("Message by telegram: Olena, D-1 is on its way.",),
    )


def test_of_merged_cards_the_newer_chat_is_answered() -> None:
    session = session_with(OFFER).when(written(), written("viber", NOON + MINUTE, chat="v", sender="78"))
    first, second = (event.contact_id for event in session.every(ConversationOpened))
    session.do("contact_merge", contact_id=second, into_id=first)
    assert move(session).events[-1].connector == "viber"
    assert session.events[-1].meta.stream == second


def test_who_wrote_nowhere_is_sent_nothing() -> None:
    session = move(session_with(OFFER).when(lead()))
    assert left_out(session) == "No message: the customer has not written in any chat or mail yet."


def test_what_cannot_be_answered_from_here_is_said() -> None:
    session = move(session_with(OFFER).when(written("olx")))
    assert left_out(session) == "No message: What comes by olx cannot be answered from here."


def test_a_value_that_is_missing_leaves_the_message_out_and_the_task_in() -> None:
    worth = {"name": "bill", "stage": "in_progress", "message": {"text": "{amount}, please"}, "task": {"title": "Bill"}}
    session = move(session_with(worth).when(written()))
    ruled, task = session.events[-2:]
    assert ruled.left_out == ("No message: nothing is known for {amount}.",)
    assert (ruled.message_id, ruled.task_id) == (None, task.task_id)


@pytest.mark.parametrize(
    ("hours", "template"), [(24, None), (25, Template("ready", "uk", {"1": "Olena", "2": "Offer"}))]
)
def test_a_closed_window_is_answered_with_the_template(hours: int, template: Template | None) -> None:
    rule = {"name": "ready", "stage": "in_progress", "message": {"text": "Ready", "template": TEMPLATE}}
    session = session_with(rule).when(written("whatsapp", NOON - hours * HOUR))
    session.do("stage_change", key="in_progress", label="Offer")
    queued = move(session).events[-1]
    assert (queued.text, queued.template) == ("Olena: Offer" if template else "Ready", template)


def test_a_closed_window_without_a_template_is_said() -> None:
    session = move(session_with(OFFER).when(written("whatsapp", NOON - 25 * HOUR)))
    assert left_out(session) == (
        "No message: whatsapp lets a customer be answered for 24 hours, and this one wrote 25 hours ago. "
        "Until they write again, send a template that was approved."
    )


def test_a_rule_with_a_template_alone_sends_it_always_and_only_where_there_are_templates() -> None:
    rule = {"name": "ready", "stage": "in_progress", "message": {"template": TEMPLATE}}
    session = move(session_with(rule).when(written("whatsapp")))
    assert session.events[-1].template == Template("ready", "uk", {"1": "Olena", "2": "in_progress"})
    session = move(session_with(rule).when(written()))
    assert left_out(session) == "No message: telegram has no templates, and the rule has no other text."


def test_a_text_that_is_too_long_with_its_values_is_left_out() -> None:
    rule = {"name": "long", "stage": "in_progress", "message": {"text": "x" * 990 + "{contact_name}"}}
    session = move(session_with(rule).when(written("instagram", sender_name="Олена Шевченко")))
    assert left_out(session).startswith("No message: instagram takes a text of at most 1000 bytes")


def test_a_rule_writes_in_a_conversation_once_a_day_whatever_comes() -> None:
    """Somebody who sends a form again and again with the number of another one cannot make us write to them."""
    session = session_with({**OFFER, "stage": "lost"}).when(written())
    session.do("deal_lose", deal_id=session.id_of(), why="gone")
    session.do("deal_open", contact_id=session.contact().contact_id, title="Again")
    session.do("deal_lose", deal_id=session.id_of(2), why="gone")
    assert left_out(session) == "No message: this rule wrote in the conversation less than 24 hours ago."
    assert len(session.every(ReplyQueued)) == 1


def test_a_message_that_arrives_late_does_not_call_the_answer_back_to_its_chat() -> None:
    """Two bots of one shop: the customer wrote to the second one last, whatever the first one reports afterwards."""
    session = session_with(OFFER).when(written(chat="77"), written(at=NOON + 2 * MINUTE, chat="78", message="2"))
    session.when(written(at=NOON + MINUTE, chat="77", message="3"))
    assert len(session.every(ConversationOpened)) == 2
    assert move(session).events[-1].chat == "78"
