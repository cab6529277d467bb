"""Conversations and their messages."""

from itertools import permutations

from msgspec.structs import replace

from crm.events import (
    ConversationOpened,
    ConversationReached,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageStatusChanged,
    ReplyQueued,
)
from crm.scalars import Micros
from projections.conversation import ConversationRow, conversation
from projections.message import MessageRow, message
from tests.support.projection_events import CHAT, FILE, FILE_TEXT, NOON, OLENA, an_id, meta, row_of

OPENED = ConversationOpened(meta("0"), CHAT, OLENA, "telegram", "77", "Olena in Telegram")
EMPTY = ConversationRow(CHAT, OLENA, "telegram", "77", "Olena in Telegram", 0, None, "", NOON, NOON)
FIRST, SECOND = an_id("first"), an_id("second")


def received(id_: str, at: int, text: str) -> MessageReceived:
    return MessageReceived(meta(id_, at), an_id(id_), CHAT, OLENA, id_, "Olena", text, (FILE,), "41")


def edited(id_: str, at: int, text: str) -> MessageEdited:
    return MessageEdited(meta(f"{id_} {at}", at), an_id(id_), CHAT, OLENA, text, Micros(NOON + at))


def test_a_conversation_shows_what_was_said_last() -> None:
    assert row_of(conversation, OPENED) == EMPTY
    assert row_of(conversation, OPENED, received("first", 1, "Hi"), received("second", 2, "Is it there?")) == replace(
        EMPTY,
        message_count=2,
        last_message_id=SECOND,
        last_text="Is it there?",
        touched_at=Micros(NOON + 2),
        question_at=Micros(NOON + 1),
        unanswered=True,
    )


def test_an_older_message_that_comes_late_is_counted_and_not_the_last() -> None:
    assert row_of(conversation, OPENED, received("second", 2, "Is it there?"), received("first", 1, "Hi")) == replace(
        EMPTY,
        message_count=2,
        last_message_id=SECOND,
        last_text="Is it there?",
        touched_at=Micros(NOON + 2),
        question_at=Micros(NOON + 1),
        unanswered=True,
    )


def test_a_conversation_is_unanswered_while_its_last_message_is_the_contacts() -> None:
    first, again = received("first", 1, "Hi"), received("second", 5, "Well?")
    said = replace(received("third", 6, "Yes"), direction="out")
    queued = ReplyQueued(meta("reply", 3), an_id("reply"), CHAT, OLENA, "taras", "Good day")
    assert not row_of(conversation, OPENED).unanswered
    assert row_of(conversation, OPENED, first).unanswered
    assert not row_of(conversation, OPENED, first, queued).unanswered
    assert row_of(conversation, OPENED, first, queued, again).unanswered
    assert not row_of(conversation, OPENED, first, queued, again, said).unanswered
    assert not row_of(conversation, OPENED, first, queued, received("late", 2, "An older one")).unanswered


def answer(id_: str, at: int, sender: str) -> MessageReceived:
    return replace(received(id_, at, "Yes"), direction="out", sender_name=sender)


A_SECOND = 1_000_000


def test_the_first_answer_counts_from_the_first_question() -> None:
    """Neither what we wrote before, nor further questions and answers change it."""
    greeting, question = answer("hello", 1, "Shop"), received("first", 2 * A_SECOND, "Is it there?")
    reply = ReplyQueued(meta("reply", 65 * A_SECOND), an_id("reply"), CHAT, OLENA, "It is", "taras")
    row = row_of(conversation, OPENED, greeting)
    assert (row.question_at, row.answered_at, row.answer_s) == (None, None, None)
    row = row_of(conversation, OPENED, greeting, question, received("again", 50 * A_SECOND, "Hello?"))
    assert (row.question_at, row.answered_by, row.answer_s) == (NOON + 2 * A_SECOND, "", None)
    row = row_of(conversation, OPENED, greeting, question, reply, answer("later", 90 * A_SECOND, "olena"))
    assert (row.answered_at, row.answered_by, row.answer_s) == (NOON + 65 * A_SECOND, "taras", 63)
    reported_late = answer("phone", 30 * A_SECOND, "olena")
    row = row_of(conversation, OPENED, greeting, question, reply, reported_late)
    assert (row.answered_by, row.answer_s) == ("olena", 28)
    sent_before = replace(received("zero", 99 * A_SECOND, "?"), sent_at=Micros(NOON + A_SECOND))
    row = row_of(conversation, OPENED, greeting, question, reply, sent_before)
    assert (row.question_at, row.answer_s) == (NOON + A_SECOND, 64)


def test_the_owner_is_the_one_of_the_first_answer() -> None:
    question = received("first", A_SECOND, "Is it there?")
    reply = ReplyQueued(meta("reply", 9 * A_SECOND), an_id("reply"), CHAT, OLENA, "It is", "shop", owner="taras")
    later = replace(answer("later", 20 * A_SECOND, "shop"), owner="olena")
    assert row_of(conversation, OPENED, question).owner == ""
    assert row_of(conversation, OPENED, question, reply, later).owner == "taras"
    reported_late = replace(answer("phone", 5 * A_SECOND, "shop"), owner="olena")
    row = row_of(conversation, OPENED, question, reply, reported_late)
    assert (row.owner, row.answer_s) == ("olena", 4)


def test_a_message_of_a_rule_answers_no_question() -> None:
    """The conversation waits for a person, whose answer is the first."""
    question = received("first", A_SECOND, "Is it there?")
    reply = ReplyQueued(meta("reply", 2 * A_SECOND), an_id("reply"), CHAT, OLENA, "Thanks", stage_rule_id=an_id("rule"))
    row = row_of(conversation, OPENED, question, reply)
    assert (row.unanswered, row.answer_s, row.last_text, row.message_count) == (True, None, "Thanks", 2)
    row = row_of(conversation, OPENED, question, reply, answer("later", 9 * A_SECOND, "olena"))
    assert (row.unanswered, row.answered_by, row.answer_s) == (False, "olena", 8)


def test_only_an_edit_of_the_last_message_changes_what_a_conversation_shows() -> None:
    said = (OPENED, received("first", 1, "Hi"), received("second", 2, "Is it there?"))
    assert row_of(conversation, *said, edited("first", 3, "Hello")).last_text == "Is it there?"
    assert row_of(conversation, *said, edited("second", 3, "Is it here?")).last_text == "Is it here?"


def test_a_message_reads_as_it_was_edited_last() -> None:
    first = MessageRow(FIRST, CHAT, OLENA, "first", "Olena", "Hi", (FILE_TEXT,), "41", Micros(NOON + 1), None)
    assert row_of(message, received("first", 1, "Hi")) == first
    late = (edited("first", 5, "Good day"), edited("first", 3, "Hello"))
    assert row_of(message, received("first", 1, "Hi"), *late) == replace(
        first, text="Good day", edited_at=Micros(NOON + 5)
    )


def status(word: str, reason: str = "") -> MessageStatusChanged:
    return MessageStatusChanged(meta(f"status {word}", 5), an_id("ours"), CHAT, word, OLENA, reason)


def test_the_status_of_a_message_of_ours_never_goes_back() -> None:
    ours = answer("ours", 1, "Shop")
    assert row_of(message, ours).status == "sent"
    for order in permutations([status("sent"), status("delivered"), status("read"), status("failed", "blocked")]):
        row = row_of(message, ours, *order)
        assert (row.status, row.failure) == ("read", "")
    failed = row_of(message, ours, status("failed", "blocked"))
    assert (failed.status, failed.failure) == ("failed", "blocked")


def test_a_status_changes_neither_a_customers_message_nor_one_that_was_taken_back() -> None:
    theirs, ours = replace(received("ours", 1, "Hi"), direction="in"), answer("ours", 1, "Shop")
    assert row_of(message, theirs, status("read")).status == "received"
    gone = MessageDeleted(meta("gone", 3), an_id("ours"), CHAT, OLENA)
    assert row_of(message, ours, gone, status("read")).status == "deleted"


def test_a_conversation_shows_up_to_when_all_was_delivered_and_read() -> None:
    def reached(word: str, at: int) -> ConversationReached:
        return ConversationReached(meta(f"{word} {at}", at), CHAT, OLENA, word, Micros(NOON + at))

    assert (EMPTY.delivered_up_to, EMPTY.read_up_to) == (None, None)
    for order in permutations([reached("delivered", 3), reached("read", 2), reached("read", 1)]):
        row = row_of(conversation, OPENED, *order)
        assert (row.delivered_up_to, row.read_up_to) == (NOON + 3, NOON + 2)
    assert row_of(conversation, OPENED, reached("read", 2)).delivered_up_to == NOON + 2
