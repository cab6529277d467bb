"""Webhooks: where events are sent, what became of each delivery, and what to do about those that were given up."""

from starlette.responses import Response

from api.console.view import View, no_such

STATES = "WAITING", "DELIVERED", "DEAD"


async def webhooks(view: View) -> Response:
    return view.show("webhooks", webhooks=(await view.ask("webhooks"))["webhooks"]["nodes"])


async def webhook(view: View) -> Response:
    state = view.given("state")
    wanted = {"state": state if state in STATES else None, "before": view.given("before") or None}
    data = await view.ask("webhook", id=view.id, **wanted)
    shown = {"webhook": no_such(data["webhook"]), "deliveries": data["webhookDeliveries"], "states": STATES}
    return view.show("webhook", state=state, **shown)


async def add(view: View) -> Response:
    form = await view.form()
    types = form.get("types", "").split()
    made = await view.change("add_webhook", url=form.get("url"), name=form.get("name"), types=types)
    return view.show("parts/webhook_added", secret=made["secret"])


async def test(view: View) -> Response:
    await view.change("test_webhook", webhookId=view.id)
    return view.done()


async def switch(view: View) -> Response:
    """Switches it on or off."""
    await view.change("change_webhook", webhookId=view.id, enabled=(await view.form()).get("enabled") == "yes")
    return view.done()


async def retry(view: View) -> Response:
    await view.change("retry_webhook", webhookId=view.id, deliveryIds=await chosen(view))
    return view.done()


async def discard(view: View) -> Response:
    await view.change("discard_webhook", webhookId=view.id, deliveryIds=await chosen(view))
    return view.done()


async def chosen(view: View) -> list[str] | None:
    """Returns the one delivery; None: all that were given up."""
    found = (await view.form()).get("delivery")
    return [found] if found else None
