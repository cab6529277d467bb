"""A contact's card: names, numbers, deals, calls, conversations; now or as of a moment; merged and taken apart."""

from typing import Any

from starlette.responses import Response

from api.console.screens.deal import NEVER, moments
from api.console.view import View, no_such


async def contact(view: View) -> Response:
    as_of = view.as_of
    data = await view.ask("contact", id=view.id, asOf=as_of or NEVER, past=bool(as_of))
    now = no_such(data["contact"])
    shown: dict[str, Any] = {"id": view.id, "contact": data["past"] if as_of else now, "now": now, "as_of": as_of}
    return view.show("parts/contact_facts" if view.part else "contact", moments=moments(now), **shown)


async def timeline(view: View) -> Response:
    data = await view.ask("timeline", contact=view.id, after=view.given("after") or None)
    return view.show("parts/timeline", address=f"/console/contacts/{view.id}", page=data["timeline"])


async def merge(view: View) -> Response:
    """Both cards side by side. `other` is a card's id, or its address as it is copied from a browser."""
    other = view.given("other").rstrip("/").rpartition("/")[2]
    data = await view.ask("merge", id=view.id, other=other)
    return view.show("merge", kept=no_such(data["kept"]), merged=no_such(data["merged"]))


async def do_merge(view: View) -> Response:
    other = (await view.form()).get("other")
    await view.change("merge_contacts", contactId=other, intoId=view.id)
    return Response(status_code=204, headers={"hx-redirect": f"/console/contacts/{view.id}"})


async def unmerge(view: View) -> Response:
    await view.change("unmerge_contact", contactId=view.id)
    return view.done()
