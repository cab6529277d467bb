"""A deal's card: who, money, fields, one timeline, conversations, tasks, notes; now or as of a moment."""

from typing import Any

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View, no_such

NEVER = {"at": "2000-01-01T00:00:00Z"}  # not asked for, but the document needs a value


async def deal(view: View) -> Response:
    as_of = view.as_of
    data = await view.ask("deal", id=view.id, asOf=as_of or NEVER, past=bool(as_of))
    now = no_such(data["deal"])
    shown: dict[str, Any] = {"id": view.id, "deal": data["past"] if as_of else now, "now": now, "as_of": as_of}
    stages = (data["pipeline"] or {"stages": []})["stages"]
    return view.show("parts/deal_facts" if view.part else "deal", stages=stages, moments=moments(now), **shown)


def moments(row: Row) -> list[str]:
    """Returns when something happened to a card, the first first."""
    return sorted({entry["at"] for entry in row["timeline"]["nodes"]})


async def timeline(view: View) -> Response:
    data = await view.ask("timeline", deal=view.id, after=view.given("after") or None)
    return view.show("parts/timeline", address=f"/console/deals/{view.id}", page=data["timeline"])


async def move(view: View) -> Response:
    form = await view.form()
    await view.change("move_deal", dealId=view.id, stage=form.get("stage"), why=form.get("why"))
    return Response(status_code=204)


async def assign(view: View) -> Response:
    await view.change("assign_deal", dealId=view.id, owner=(await view.form()).get("owner"))
    return view.done()


async def add_note(view: View) -> Response:
    await view.change("add_note", text=(await view.form()).get("text"), **{key_of(view): view.id})
    return view.done()


async def add_task(view: View) -> Response:
    form = await view.form()
    due = view.in_zone(form.get("due", ""))
    await view.change(
        "add_task", title=form.get("title"), owner=form.get("owner"), dueAt=due, **{key_of(view): view.id}
    )
    return view.done()


def key_of(view: View) -> str:
    """Raises LookupError."""
    return {"deals": "dealId", "contacts": "contactId"}[view.request.path_params["kind"]]
