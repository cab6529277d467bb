"""What came in and could not be understood."""

from starlette.responses import Response

from api.console.view import View, no_such


async def quarantine(view: View) -> Response:
    data = await view.ask("quarantine", after=view.given("after") or None)
    return view.show("parts/quarantine" if view.part else "quarantine", page=data["quarantine"])


async def quarantined(view: View) -> Response:
    data = await view.ask("quarantined", id=view.id)
    return view.show("quarantined", delivery=no_such(data["quarantinedDelivery"]))
