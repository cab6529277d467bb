"""taskRemove: a task that need not be done is taken away."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.notes_and_tasks import task_of
from crm.envelope import Event
from crm.events import TaskRemoved
from crm.scalars import Id


class TaskRemove(Command, frozen=True, gc=False, kw_only=True):
    """Takes a task away"""

    task_id: Annotated[Id, About(description="Which task.")]
    expected_version: ExpectedVersion = None


@command(row="task")
def task_remove(command: TaskRemove, case: Case) -> Iterator[Event]:
    task = task_of(case.state, command.task_id)
    require_version(task, command.expected_version)
    yield TaskRemoved(case.meta(task.contact_id), command.task_id, task.contact_id, task.deal_id)
