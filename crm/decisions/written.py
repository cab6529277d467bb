"""Notes and tasks that a person named: they are there, and nobody took them away."""

from crm.commands import Code, Rejected
from crm.decisions.by_hand import there
from crm.decisions.case import State
from crm.scalars import Id
from crm.state import Note, Task


def note_of(state: State, note_id: Id) -> Note:
    """Raises Rejected."""
    note = there(state, Note, note_id, "noteId")
    if note.removed:
        raise Rejected("noteId", Code.NOT_FOUND, "This note was taken away. Nothing was changed.")
    return note


def task_of(state: State, task_id: Id, done: bool | None = None) -> Task:
    """`done`: what it must be; None when either will do. Raises Rejected."""
    task = there(state, Task, task_id, "taskId")
    if task.status == "removed":
        raise Rejected("taskId", Code.NOT_FOUND, "This task was taken away. Nothing was changed.")
    if done is not None and done != (task.status == "done"):
        told = "is not done" if done else "is done already"
        raise Rejected("taskId", Code.UNCHANGED, f"This task {told}. Nothing was changed.")
    return task
