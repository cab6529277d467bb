"""taskAdd: something is to be done about a contact or a deal."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.guards import require_text, subject
from crm.decisions.owners import require_assignable
from crm.envelope import Event
from crm.events import TaskAdded
from crm.scalars import Id, Micros


class TaskAdd(Command, frozen=True, gc=False, kw_only=True):
    """Adds a task about a contact or about a deal."""

    contact_id: Annotated[Id | None, About(description="About this contact.")] = None
    deal_id: Annotated[Id | None, About(description="Or about this deal.")] = None
    title: Annotated[str, About(max_length=500, description="What is to be done.")]
    due_at: Annotated[Micros | None, About(description="Until when.")] = None
    owner: Annotated[str, About(max_length=200, description="Whose task it is; empty: nobody's.")] = ""


@command(row="task")
def task_add(command: TaskAdd, case: Case) -> Iterator[Event]:
    contact_id, deal_id = subject(case.state, command.contact_id, command.deal_id)
    yield TaskAdded(
        meta=case.meta(contact_id),
        task_id=case.new_id("task"),
        contact_id=contact_id,
        title=require_text(command.title, "title"),
        deal_id=deal_id,
        due_at=command.due_at,
        owner=require_assignable(case.state, case.fact.meta.workspace, command.owner, "owner"),
    )
