"""taskReopen: a task is to be done again."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.notes_and_tasks import task_of
from crm.envelope import Event
from crm.events import TaskReopened
from crm.scalars import Id


class TaskReopen(Command, frozen=True, gc=False, kw_only=True):
    """Says that a task that was done is to be done again."""

    task_id: Annotated[Id, About(description="Which task.")]
    expected_version: ExpectedVersion = None


@command(row="task")
def task_reopen(command: TaskReopen, case: Case) -> Iterator[Event]:
    task = task_of(case.state, command.task_id, done=True)
    require_version(task, command.expected_version)
    yield TaskReopened(case.meta(task.contact_id), command.task_id, task.contact_id, task.deal_id)
