"""Finds the notes and tasks that a command names, and rejects removed ones."""

from crm.commands import Code, Rejected
from crm.decisions.case import State
from crm.decisions.guards import require
from crm.scalars import Id
from crm.state import Note, Task


def note_of(state: State, note_id: Id) -> Note:
    """Raises Rejected."""
    note = require(state, Note, note_id, "noteId")
    if note.removed:
        raise Rejected("noteId", Code.NOT_FOUND, "This note was taken away. Nothing was changed.")
    return note


def task_of(state: State, task_id: Id, done: bool | None = None) -> Task:
    """`done`: what it must be; None when either will do. Raises Rejected."""
    task = require(state, Task, task_id, "taskId")
    if task.status == "removed":
        raise Rejected("taskId", Code.NOT_FOUND, "This task was taken away. Nothing was changed.")
    if done is not None and done != (task.status == "done"):
        status = "is not done" if done else "is done already"
        raise Rejected("taskId", Code.UNCHANGED, f"This task {status}. Nothing was changed.")
    return task
