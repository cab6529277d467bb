"""Calls that ring: who it is, before it is answered."""

from starlette.responses import Response

from api.console.view import View, no_such


async def ringing(view: View) -> Response:
    data = await view.ask("ringing", id=view.id)
    return view.show("parts/ringing", calls=[no_such(data["call"])])


async def ringing_now(view: View) -> Response:
    data = await view.ask("ringing_now")
    return view.show("parts/ringing", calls=data["calls"]["nodes"])
