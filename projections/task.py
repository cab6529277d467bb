"""One row per task: what is due, when, and who does it."""

from msgspec.structs import replace

from crm.envelope import Row
from crm.events import TaskAdded, TaskChanged, TaskDone, TaskRemoved, TaskReopened
from crm.projection import projection
from crm.scalars import Id, Micros


class TaskRow(Row, frozen=True, gc=False):
    """A task about a contact or a deal."""

    task_id: Id
    contact_id: Id
    deal_id: Id | None
    title: str
    due_at: Micros | None
    owner: str
    done: bool
    done_at: Micros | None
    version: int  # how many events it is a fold of; give it as expectedVersion
    touched_at: Micros
    created_at: Micros = Micros(0)


TaskEvent = TaskAdded | TaskChanged | TaskDone | TaskReopened | TaskRemoved


@projection(
    key="task_id",
    version=4,
    indexes=(
        "touched_at",
        "contact_id, touched_at",
        "deal_id, touched_at",
        "owner, touched_at",
        "owner, done, touched_at",
        "owner, done, due_at",
        "done, touched_at",
        "done, due_at",
        "created_at",
        "due_at",
    ),
    found_by=("title",),
)
def task(row: TaskRow | None, event: TaskEvent) -> TaskRow | None:
    at = event.meta.occurred_at
    if isinstance(event, TaskAdded):
        return row or TaskRow(
            task_id=event.task_id,
            contact_id=event.contact_id,
            deal_id=event.deal_id,
            title=event.title,
            due_at=event.due_at,
            owner=event.owner,
            done=False,
            done_at=None,
            version=1,
            touched_at=at,
            created_at=at,
        )
    if row is None or isinstance(event, TaskRemoved):
        return None
    row = replace(row, touched_at=max(row.touched_at, at), version=row.version + 1)
    match event:
        case TaskChanged():
            return replace(row, title=event.title, due_at=event.due_at, owner=event.owner)
        case TaskDone():
            return replace(row, done=True, done_at=at)
        case TaskReopened():
            return replace(row, done=False, done_at=None)
