"""The board: a column a stage with count and sums, its cards page by page; now or as of a moment."""

import asyncio

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View

LAST = {"hasNextPage": False}
TILES = 20  # of one request


async def board(view: View) -> Response:
    as_of = view.as_of
    data = await (view.ask("board_past", asOf=as_of) if as_of else view.ask("board"))
    stages = (data["pipeline"] or {"stages": []})["stages"]
    pages = await asyncio.gather(*(cards(view, stage["key"]) for stage in stages))
    columns = [
        {**stage, "deals": page["nodes"], "next": page["pageInfo"], "total": total(data["totals"], stage["key"])}
        for stage, page in zip(stages, pages, strict=True)
    ]
    return view.show("board", columns=columns, owner=view.given("owner"), as_of=as_of)


async def column(view: View) -> Response:
    """The next cards of a column."""
    stage = view.request.path_params["stage"]
    page = await cards(view, stage, view.given("after"))
    return view.show("parts/cards", stage=stage, deals=page["nodes"], next=page["pageInfo"], owner=view.given("owner"))


async def tiles(view: View) -> Response:
    """Some cards as they are now, and the totals of all columns. A card that is no more is left out."""
    ids = view.request.query_params.getlist("id")[:TILES]
    totals, *found = await asyncio.gather(view.ask("totals"), *(view.ask("tile", id=id) for id in ids))
    deals = [one["deal"] for one in found if one["deal"]]
    return view.show("parts/tiles_changed", deals=deals, totals=totals["totals"])


async def cards(view: View, stage: str, after: str = "") -> Row:
    owner = view.given("owner")
    if as_of := view.as_of:
        past = await view.ask("column_past", stage=stage, owner=owner or None, asOf=as_of)
        return {"nodes": past["deals"], "pageInfo": LAST}
    found = await view.ask("column", stage=stage, owner={"eq": owner} if owner else None, after=after or None)
    page: Row = found["deals"]
    return page


def total(totals: list[Row], stage: str) -> Row:
    return next((one for one in totals if one["stage"] == stage), {"count": 0, "amount": []})
