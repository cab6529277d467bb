"""Files that are imported: sent, checked, their columns corrected, run, and taken back."""

from starlette.responses import Response

from api.console.questions import Declined, Row
from api.console.view import View, no_such
from crm.imports import AT_WORK, Phase, Wish

OFFERED = {  # by what is done with a file now: what can be done next
    **dict.fromkeys(("WAITING", "CHECKING", "RUNNING"), ("pause", "cancel")),
    "CHECKED": ("check", "run"),
    "PAUSED": ("run", "cancel"),
    "FAILED": ("check",),
    "DONE": ("check-undo",),
    "CANCELLED": ("run", "check-undo"),
    "UNDOING": ("cancel",),
    "UNDO_CHECKED": ("undo",),
    "UNDONE": ("redo",),
}
COLUMN, TARGET = "column-", "target-"  # fields of the form, with the column's number


async def imports(view: View) -> Response:
    try:
        found, why = (await view.ask("imports"))["imports"], ""
    except Declined as declined:  # such as a server without a place for files, which says so
        found, why = [], declined.message
    return view.show("parts/imports" if view.part else "imports", imports=found, why=why)


async def file_import(view: View) -> Response:
    data = await view.ask("file_import", id=view.id)
    one = no_such(data["fileImport"])
    types = [(type["key"], type["label"]) for type in data["objectTypes"]["nodes"]]
    offered, at_work = OFFERED.get(one["phase"], ()), Phase[one["phase"]] in AT_WORK
    name = "parts/import" if view.part else "import"
    return view.show(name, one=one, offered=offered, at_work=at_work, types=types)


async def act(view: View) -> Response:
    """Does what a button says; a check and a run with what the form says of the file, where there is one."""
    action = view.request.path_params["action"]
    if action not in [*Wish]:
        raise LookupError
    options = options_in(await view.form()) if action in (Wish.CHECK, Wish.RUN) else {}
    await view.run(f"import_{Wish(action).name.lower()}", id=view.id, **options)
    return view.done()


def options_in(form: dict[str, str]) -> Row:
    """Returns what the form says of a file; nothing of one that is not shown. A column without a target is left out."""
    if "existing" not in form:
        return {}
    columns = [
        {"name": name, "target": form.get(TARGET + field.removeprefix(COLUMN), "")}
        for field, name in form.items()
        if field.startswith(COLUMN)
    ]
    said = {name: form.get(name, "") for name in ("record", "existing", "system", "charset", "delimiter", "sheet")}
    return {"options": {**said, "columns": columns}}
