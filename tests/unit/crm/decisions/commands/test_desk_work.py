"""Notes, tasks and answers: what people write beside a deal."""

import pytest

from crm.commands import Code
from crm.events import (
    ConversationOpened,
    MessageReceived,
    NoteAdded,
    NoteChanged,
    NoteRemoved,
    ReplyQueued,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
)
from crm.scalars import Id
from tests.support.operator import AtTheDesk, at_the_desk
from tests.support.scenarios import NOON, an, form, message

NOBODY = Id("33333333-3333-5333-8333-333333333333")


def shop() -> AtTheDesk:
    return at_the_desk(form("1", name="Olena", phones=["+380671234567"]))


def test_a_note_is_written_rewritten_and_taken_away() -> None:
    desk = shop()
    olena = desk.contact().contact_id
    desk.do("note_add", deal_id=desk.id_of(), text=" VIP ").then(
        an(NoteAdded, contact_id=olena, deal_id=desk.id_of(), text="VIP")
    )
    id = desk.events[0].note_id
    desk.do("note_change", note_id=id, text="VIP!", expected_version=1).then(an(NoteChanged, text="VIP!"))
    desk.refuses("note_change", "expectedVersion", Code.VERSION_CONFLICT, note_id=id, text="x", expected_version=1)
    desk.refuses("note_change", "text", Code.REQUIRED, note_id=id, text=" ")
    desk.do("note_remove", note_id=id).then(an(NoteRemoved, contact_id=olena, deal_id=desk.id_of()))
    desk.refuses("note_change", "noteId", Code.NOT_FOUND, note_id=id, text="x")
    desk.refuses("note_remove", "noteId", Code.NOT_FOUND, note_id=id)


def test_a_note_is_about_one_thing_that_is_there() -> None:
    desk = shop()
    both = {"contact_id": desk.contact().contact_id, "deal_id": desk.id_of()}
    desk.refuses("note_add", "contactId", Code.REQUIRED, text="x", **both)
    desk.refuses("note_add", "contactId", Code.REQUIRED, text="x")
    desk.refuses("note_add", "contactId", Code.NOT_FOUND, text="x", contact_id=NOBODY)
    desk.refuses("note_add", "dealId", Code.NOT_FOUND, text="x", deal_id=NOBODY)


def test_a_task_is_done_and_done_again() -> None:
    desk = shop().do("task_add", contact_id=shop().contact().contact_id, title="Ring", due_at=NOON, owner="anna")
    desk.then(an(TaskAdded, title="Ring", due_at=NOON, owner="anna", deal_id=None))
    id = desk.events[0].task_id
    desk.do("task_complete", task_id=id, expected_version=1).then(an(TaskDone))
    desk.refuses("task_complete", "taskId", Code.UNCHANGED, task_id=id)
    desk.do("task_reopen", task_id=id).then(an(TaskReopened))
    desk.refuses("task_reopen", "taskId", Code.UNCHANGED, task_id=id)
    desk.do("task_remove", task_id=id).then(an(TaskRemoved))
    for name in ("task_complete", "task_reopen", "task_remove"):
        desk.refuses(name, "taskId", Code.NOT_FOUND, task_id=id)
        desk.refuses(name, "taskId", Code.NOT_FOUND, task_id=NOBODY)


def test_of_a_task_what_is_not_given_stays_and_null_is_no_date() -> None:
    desk = shop().do("task_add", contact_id=shop().contact().contact_id, title="Ring", due_at=NOON, owner="anna")
    id = desk.events[0].task_id
    desk.do("task_change", task_id=id, owner="borys")
    desk.then(an(TaskChanged, title="Ring", due_at=NOON, owner="borys"))
    desk.do("task_change", task_id=id, due_at=None).then(an(TaskChanged, due_at=None, owner="borys"))
    desk.refuses("task_change", "", Code.UNCHANGED, task_id=id, title="Ring")
    desk.refuses("task_change", "title", Code.REQUIRED, task_id=id, title="")


def test_an_answer_stands_in_the_conversation_of_its_card() -> None:
    desk = at_the_desk(message("1", text="Hi", sender_name="Olena"))
    (chat,) = desk.every(ConversationOpened)
    (hi,) = desk.every(MessageReceived)
    said = {"conversation_id": chat.conversation_id, "text": "Good day", "author": "anna"}
    desk.do("conversation_reply", **said, reply_to=hi.message_id)
    desk.then(an(ReplyQueued, contact_id=chat.contact_id, text="Good day", author="anna", reply_to=hi.message_id))
    desk.refuses("conversation_reply", "conversationId", Code.NOT_FOUND, conversation_id=NOBODY, text="x")
    desk.refuses("conversation_reply", "replyTo", Code.NOT_FOUND, **said, reply_to=NOBODY)
    desk.refuses("conversation_reply", "text", Code.REQUIRED, conversation_id=chat.conversation_id, text=" \n")


@pytest.mark.parametrize("name", ["note_add", "task_add"])
def test_what_is_written_about_a_merged_card_is_refused_with_the_one_that_stays(name: str) -> None:
    desk = shop().when(form("2", name="Petro", phones=["+380501112233"]))
    olena, petro = desk.contact("Olena").contact_id, desk.contact("Petro").contact_id
    desk.do("contact_merge", contact_id=petro, into_id=olena)
    told = desk.refuses(name, "contactId", Code.MERGED, contact_id=petro, text="x", title="x")
    assert olena in told
