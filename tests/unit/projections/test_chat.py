"""Conversations and their messages."""

from msgspec.structs import replace

from crm.events import ConversationOpened, MessageEdited, MessageReceived
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
        EMPTY, message_count=2, last_message_id=SECOND, last_text="Is it there?", touched_at=Micros(NOON + 2)
    )


def test_an_older_message_that_comes_late_is_counted_and_not_the_last() -> None:
    assert row_of(conversation, OPENED, received("second", 2, "Is it there?"), received("first", 1, "Hi")) == replace(
        EMPTY, message_count=2, last_message_id=SECOND, last_text="Is it there?", touched_at=Micros(NOON + 2)
    )


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
