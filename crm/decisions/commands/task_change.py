"""taskChange: another wording, another date, another hand for a task."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import UNSET, UnsetType

from crm.commands import About, Command, ExpectedVersion, Line, Short, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, require_version
from crm.decisions.notes_and_tasks import task_of
from crm.decisions.owners import require_assignable
from crm.envelope import Event
from crm.events import TaskChanged
from crm.scalars import Id, Micros


class TaskChange(Command, frozen=True, gc=False, kw_only=True):
    """Changes a task. What is not given stays as it is."""

    task_id: Annotated[Id, About(description="Which task.")]
    expected_version: ExpectedVersion = None
    title: Annotated[Line | None, About(description="What is to be done.")] = None
    due_at: Annotated[Micros | UnsetType | None, About(description="Until when; null: it does not matter.")] = UNSET
    owner: Annotated[Short | None, About(description="Whose task it is; empty: nobody's.")] = None


@command(row="task")
def task_change(command: TaskChange, case: Case) -> Iterator[Event]:
    task = task_of(case.state, command.task_id)
    require_version(task, command.expected_version)
    owner = task.owner if command.owner is None else command.owner.strip()
    if owner != task.owner:
        require_assignable(case.state, case.fact.meta.workspace, owner, "owner")
    event = TaskChanged(
        meta=case.meta(task.contact_id),
        task_id=command.task_id,
        contact_id=task.contact_id,
        title=task.title if command.title is None else require_text(command.title, "title"),
        deal_id=task.deal_id,
        due_at=task.due_at if command.due_at is UNSET else command.due_at,
        owner=owner,
    )
    if (event.title, event.due_at, event.owner) != (task.title, task.due_at, task.owner):
        yield event
