"""taskComplete: a task was done."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.notes_and_tasks import task_of
from crm.envelope import Event
from crm.events import TaskDone
from crm.scalars import Id


class TaskComplete(Command, frozen=True, gc=False, kw_only=True):
    """Says that a task was done."""

    task_id: Annotated[Id, About(description="Which task.")]
    expected_version: ExpectedVersion = None


@command(row="task")
def task_complete(command: TaskComplete, case: Case) -> Iterator[Event]:
    task = task_of(case.state, command.task_id, done=False)
    require_version(task, command.expected_version)
    yield TaskDone(case.meta(task.contact_id), command.task_id, task.contact_id, task.deal_id)
