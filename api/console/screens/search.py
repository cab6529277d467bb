"""What is found everywhere: contacts, deals, messages, notes, tasks."""

from starlette.responses import Response

from api.console.view import View


async def search(view: View) -> Response:
    text = view.given("q")
    hits = (await view.ask("search", text=text))["search"]["hits"] if len(text) > 1 else []
    return view.show("parts/hits" if view.part else "search", text=text, hits=hits)
