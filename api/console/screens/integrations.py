"""What is connected with its state, what can be, and the form of each connector."""

from starlette.responses import Response

from api.console.questions import Row
from api.console.screens.rules import to
from api.console.view import View, no_such

SETTING, MANY = "set.", "many."  # how fields of the form are named: one setting; settings with a common beginning


async def integrations(view: View) -> Response:
    data = await view.ask("integrations")
    return view.show("integrations", connected=data["integrations"]["nodes"], connectors=data["connectors"])


async def connect(view: View) -> Response:
    """The form of one connector, made from its settings."""
    return view.show("connect", connector=await connector_of(view))


async def connector_of(view: View) -> Row:
    """Raises LookupError."""
    name = view.request.path_params["name"]
    connectors = (await view.ask("integrations"))["connectors"]
    return no_such(next((one for one in connectors if one["name"] == name), None))


async def add(view: View) -> Response:
    form, name = await view.form(), view.request.path_params["name"]
    given = {"name": form.get("name"), "secret": form.get("secret"), "settings": settings_in(form)}
    made = await view.change("add_connection", connector=name, **given)
    return view.show("parts/connected", made=made, connector=name)


async def authorize(view: View) -> Response:
    """The link by which the owner of an account permits access."""
    form = await view.form()
    made = await view.run(
        "authorize_connection",
        connector=view.request.path_params["name"],
        name=form.get("name", ""),
        clientId=form.get("client_id", ""),
        clientSecret=form.get("client_secret", ""),
        settings=settings_in(form),
    )
    return view.show("parts/authorize", made=made)


def settings_in(form: dict[str, str]) -> list[Row]:
    """Returns the settings that were given; a line `key = value` each of those with a common beginning."""
    one = {name.removeprefix(SETTING): value for name, value in form.items() if name.startswith(SETTING)}
    for name, text in form.items():
        if name.startswith(MANY):
            pairs = (line.partition("=") for line in text.splitlines())
            one |= {name.removeprefix(MANY) + key.strip(): value.strip() for key, _, value in pairs}
    return [{"key": key, "value": value} for key, value in one.items() if value]


async def connection(view: View) -> Response:
    return view.show("connection", connection=no_such((await view.ask("connection", id=view.id))["integration"]))


async def check(view: View) -> Response:
    """What its vendor says of the webhook."""
    found = await view.run("check_connection", connectionId=view.id)
    return view.show("parts/activation", activation=found["activation"])


async def remove(view: View) -> Response:
    await view.change("remove_connection", connectionId=view.id)
    return to("/console/integrations")


async def first_form(view: View) -> Response:
    """How to post a first form, with the exact address."""
    found = (await view.ask("first_form"))["integrations"]["nodes"]
    forms = [one["url"] for one in found if one["connector"] == "form" and one["enabled"] and one["url"]]
    return view.show("parts/first_form", address=forms[0] if forms else "")
