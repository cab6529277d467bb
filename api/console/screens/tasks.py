"""What is to be done, what is due first."""

from starlette.responses import Response

from api.console.view import View


async def tasks(view: View) -> Response:
    owner = view.given("owner")
    found = (await view.ask("tasks", owner={"eq": owner} if owner else None))["tasks"]["nodes"]
    return view.show("tasks", tasks=found, owner=owner)


async def complete(view: View) -> Response:
    await view.change("complete_task", taskId=view.id)
    return view.show("parts/task_done", id=view.id, title=(await view.form()).get("title", ""))


async def reopen(view: View) -> Response:
    """Takes it back that a task was done."""
    await view.change("reopen_task", taskId=view.id)
    return view.done()
