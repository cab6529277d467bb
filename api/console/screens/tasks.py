"""What is to be done, what is due first."""

from datetime import UTC, datetime, time

from starlette.responses import Response

from api.console.view import View
from crm.envelope import now


async def tasks(view: View) -> Response:
    owner, today = view.given("owner"), view.given("due") == "today"
    due = {"lte": end_of_today(view)} if today else None
    found = (await view.ask("tasks", owner={"eq": owner} if owner else None, due=due))["tasks"]["nodes"]
    return view.show("tasks", tasks=found, owner=owner, today=today)


def end_of_today(view: View) -> str:
    """Returns the last moment of this day in the workspace."""
    here = datetime.fromtimestamp(now() / 1_000_000, UTC).astimezone(view.speaker.zone)
    return datetime.combine(here.date(), time.max, view.speaker.zone).isoformat()


async def complete(view: View) -> Response:
    await view.change("complete_task", taskId=view.id)
    return view.show("parts/task_done", id=view.id, title=(await view.form()).get("title", ""))


async def reopen(view: View) -> Response:
    """Takes it back that a task was done."""
    await view.change("reopen_task", taskId=view.id)
    return view.done()
