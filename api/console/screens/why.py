"""Where the value of a field comes from: each change, down to what was delivered."""

from starlette.responses import Response

from api.console.view import View


async def why(view: View) -> Response:
    given = view.request.path_params
    data = await view.ask("why", type=given["type"], id=view.id, field=given["field"])
    return view.show("parts/why", changes=data["why"], field=given["field"])
