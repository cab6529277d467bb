"""A contact's card: names, numbers, deals, calls, conversations; now or as of a moment; merged and taken apart."""

import re
from typing import Any

from starlette.responses import Response

from api.console.screens.deal import NEVER, moments
from api.console.view import View, no_such

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


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
    """Both cards side by side. `other` is a card's id or address, or what finds it: then those found are shown."""
    other = view.given("other").rstrip("/").rpartition("/")[2]
    if not ID.fullmatch(other):
        return await choose(view, other)
    data = await view.ask("merge", id=view.id, other=other)
    return view.show("merge", kept=no_such(data["kept"]), merged=no_such(data["merged"]))


async def choose(view: View, text: str) -> Response:
    """The contacts that a text finds, to choose one of them to compare with."""
    hits = (await view.ask("search", text=text))["search"]["hits"] if text else []
    found = [hit["node"] for hit in hits if hit["node"]["__typename"] == "Contact" and hit["node"]["id"] != view.id]
    return view.show("merge_with", id=view.id, text=text, found=found)


async def do_merge(view: View) -> Response:
    other = (await view.form()).get("other")
    await view.change("merge_contacts", contactId=other, intoId=view.id)
    return Response(status_code=204, headers={"hx-redirect": f"/console/contacts/{view.id}"})


async def unmerge(view: View) -> Response:
    await view.change("unmerge_contact", contactId=view.id)
    return view.done()
