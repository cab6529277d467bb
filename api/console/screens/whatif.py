"""What other rules would have done in a past period next to what really happened."""

from starlette.responses import Response

from api.console.questions import Row
from api.console.tables import Table, download
from api.console.view import View, no_such


async def whatif(view: View) -> Response:
    return view.show("whatif", trials=(await view.ask("what_ifs"))["whatIfs"])


async def trial(view: View) -> Response:
    data = await view.ask("what_if", name=view.request.path_params["name"])
    found = no_such(next(iter(data["whatIfs"]), None))
    stages = {stage["key"]: stage["label"] for stage in (data["pipeline"] or {"stages": []})["stages"]}
    if view.given("csv") == "deals":
        return download(deals(view, found, stages), "whatif-deals")
    table = owners(view, found, exact=bool(view.given("csv")))
    return (
        download(table, "whatif-owners")
        if view.given("csv")
        else view.show("trial", trial=found, table=table, stages=stages)
    )


def owners(view: View, found: Row, exact: bool) -> Table:
    """`exact`: seconds as a number instead of words."""
    _, duration = view.speaker.words.gettext, view.speaker.duration
    rows = [
        [
            one["owner"],
            str(one["deals"]),
            str(one["wouldDeals"]),
            f"{one['wouldDeals'] - one['deals']:+d}",
            ("" if one["touchS"] is None else f"{one['touchS']:.0f}") if exact else duration(one["touchS"]),
        ]
        for one in found["owners"]
    ]
    touch = _("First touch, seconds") if exact else _("First touch")
    heads = [_("Owner"), _("Deals"), _("Would have got"), _("Difference"), touch]
    return Table(heads, rows, [one["wouldDeals"] for one in found["owners"]])


def deals(view: View, found: Row, stages: dict[str, str]) -> Table:
    _ = view.speaker.words.gettext
    names = "number", "title", "owner", "wouldOwner", "why", "wouldWhy", "stage", "wouldStage"
    heads = ["№", _("Deal"), _("Owner"), _("Would have got it"), _("Why"), _("Why then"), _("Stage"), _("Stage then")]
    rows = [[stages.get(str(one[name]), str(one[name])) for name in names] for one in found["changed"]]
    return Table(heads, rows, [0] * len(rows))
