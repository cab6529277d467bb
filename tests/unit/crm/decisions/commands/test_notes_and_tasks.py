"""Notes, tasks and answers: what people write about a deal."""

import pytest

from crm.commands import Code
from crm.events import (
    NoteAdded,
    NoteChanged,
    NoteRemoved,
    TaskAdded,
    TaskChanged,
    TaskDone,
    TaskRemoved,
    TaskReopened,
)
from crm.scalars import Id
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import NOON, an, form

NOBODY = Id("33333333-3333-5333-8333-333333333333")


def shop() -> OperatorSession:
    return operator_session(form("1", name="Olena", phones=["+380671234567"]))


def test_a_note_is_written_rewritten_and_taken_away() -> None:
    session = shop()
    olena = session.contact().contact_id
    session.do("note_add", deal_id=session.id_of(), text=" VIP ").then(
        an(NoteAdded, contact_id=olena, deal_id=session.id_of(), text="VIP")
    )
    id = session.events[0].note_id
    session.do("note_change", note_id=id, text="VIP!", expected_version=1).then(an(NoteChanged, text="VIP!"))
    session.refuses("note_change", "expectedVersion", Code.VERSION_CONFLICT, note_id=id, text="x", expected_version=1)
    session.refuses("note_change", "text", Code.REQUIRED, note_id=id, text=" ")
    session.do("note_remove", note_id=id).then(an(NoteRemoved, contact_id=olena, deal_id=session.id_of()))
    session.refuses("note_change", "noteId", Code.NOT_FOUND, note_id=id, text="x")
    session.refuses("note_remove", "noteId", Code.NOT_FOUND, note_id=id)


def test_a_note_is_about_one_thing_that_is_there() -> None:
    session = shop()
    both = {"contact_id": session.contact().contact_id, "deal_id": session.id_of()}
    session.refuses("note_add", "contactId", Code.REQUIRED, text="x", **both)
    session.refuses("note_add", "contactId", Code.REQUIRED, text="x")
    session.refuses("note_add", "contactId", Code.NOT_FOUND, text="x", contact_id=NOBODY)
    session.refuses("note_add", "dealId", Code.NOT_FOUND, text="x", deal_id=NOBODY)


def test_a_task_is_done_and_done_again() -> None:
    session = shop().do("task_add", contact_id=shop().contact().contact_id, title="Ring", due_at=NOON, owner="anna")
    session.then(an(TaskAdded, title="Ring", due_at=NOON, owner="anna", deal_id=None))
    id = session.events[0].task_id
    session.do("task_complete", task_id=id, expected_version=1).then(an(TaskDone))
    session.refuses("task_complete", "taskId", Code.UNCHANGED, task_id=id)
    session.do("task_reopen", task_id=id).then(an(TaskReopened))
    session.refuses("task_reopen", "taskId", Code.UNCHANGED, task_id=id)
    session.do("task_remove", task_id=id).then(an(TaskRemoved))
    for name in ("task_complete", "task_reopen", "task_remove"):
        session.refuses(name, "taskId", Code.NOT_FOUND, task_id=id)
        session.refuses(name, "taskId", Code.NOT_FOUND, task_id=NOBODY)


def test_of_a_task_what_is_not_given_stays_and_null_is_no_date() -> None:
    session = shop().do("task_add", contact_id=shop().contact().contact_id, title="Ring", due_at=NOON, owner="anna")
    id = session.events[0].task_id
    session.do("task_change", task_id=id, owner="borys")
    session.then(an(TaskChanged, title="Ring", due_at=NOON, owner="borys"))
    session.do("task_change", task_id=id, due_at=None).then(an(TaskChanged, due_at=None, owner="borys"))
    session.refuses("task_change", "", Code.UNCHANGED, task_id=id, title="Ring")
    session.refuses("task_change", "title", Code.REQUIRED, task_id=id, title="")


@pytest.mark.parametrize("name", ["note_add", "task_add"])
def test_what_is_written_about_a_merged_card_is_refused_with_the_one_that_stays(name: str) -> None:
    session = shop().when(form("2", name="Petro", phones=["+380501112233"]))
    olena, petro = session.contact("Olena").contact_id, session.contact("Petro").contact_id
    session.do("contact_merge", contact_id=petro, into_id=olena)
    message = session.refuses(name, "contactId", Code.MERGED, contact_id=petro, text="x", title="x")
    assert olena in message
