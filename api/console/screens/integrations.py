"""What is connected with its state, what can be, and the form of each connector."""

from starlette.responses import Response

from api.console.view import View, no_such


async def integrations(view: View) -> Response:
    data = await view.ask("integrations")
    return view.show("integrations", connected=data["integrations"]["nodes"], connectors=data["connectors"])


async def connect(view: View) -> Response:
    """The form of one connector, made from its settings."""
    connectors = (await view.ask("integrations"))["connectors"]
    name = view.request.path_params["name"]
    found = next((one for one in connectors if one["name"] == name), None)
    return view.show("connect", connector=no_such(found))


async def add(view: View) -> Response:
    form = await view.form()
    settings = [
        {"key": key.removeprefix("set."), "value": v} for key, v in form.items() if key.startswith("set.") and v
    ]
    payload = await view.change(
        "add_connection",
        connector=view.request.path_params["name"],
        name=form.get("name"),
        secret=form.get("secret"),
        settings=settings,
    )
    return view.show("parts/connected", made=payload)
