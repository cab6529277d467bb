"""Calls that ring: who it is, and how certain that is, before it is answered."""

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View, no_such


async def ringing(view: View) -> Response:
    data = await view.ask("ringing", id=view.id)
    return view.show("parts/ringing", calls=[in_order(no_such(data["call"]))])


async def ringing_now(view: View) -> Response:
    data = await view.ask("ringing_now")
    return view.show("parts/ringing", calls=[in_order(call) for call in data["calls"]["nodes"]])


def in_order(call: Row) -> Row:
    """Returns the call with those first who have its number, then those who were only seen with it."""
    return {**call, "callers": sorted(call["callers"], key=lambda one: call["phone"] not in one["phones"])}
