"""Files that were sent to be imported, with how far each is: of a run the rows that are in the cards."""

from starlette.responses import Response

from api.console.questions import Declined
from api.console.view import View


async def imports(view: View) -> Response:
    try:
        found, why = (await view.ask("imports"))["imports"], ""
    except Declined as declined:  # such as a server without a place for files, which says so
        found, why = [], declined.message
    return view.show("parts/imports" if view.part else "imports", imports=found, why=why)
