"""What an analyst looks at first: stages with their times, sources, owners; as tables, bars and CSV."""

from collections import defaultdict

from starlette.responses import Response

from api.console.questions import Row
from api.console.tables import Table, download
from api.console.view import View


async def numbers(view: View) -> Response:
    tables = await read(view)
    if (wanted := view.given("csv")) in tables:
        return download(tables[wanted], wanted)
    return view.show("numbers", tables=tables, since=view.given("from"), until=view.given("to"))


async def read(view: View) -> dict[str, Table]:
    data = await view.ask("numbers", **span(view))
    pipeline = data["pipeline"] or {"stages": [], "paidStage": ""}
    stages = pipeline["stages"]
    _, money = view.speaker.words.gettext, view.speaker.money
    by_stage = {one["stage"]: one for one in data["stages"]}
    order = [stage["key"] for stage in stages] + [key for key in by_stage if key not in {one["key"] for one in stages}]
    label, word = view.stage_name, view.speaker.vocabulary.word

    def sums(row: Row, name: str) -> str:
        return ", ".join(map(money, row[name]))

    nothing: Row = {"count": 0, "amount": [], "paid": []}
    funnel = [(label(key), by_stage.get(key, nothing)) for key in order]
    sources = sorted(data["sources"], key=lambda one: -int(one["count"]))
    owners: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for one in data["owners"]:
        owners[one["owner"] or ""][0] += one["count"]
        owners[one["owner"] or ""][1] += one["count"] if one["stage"] == pipeline["paidStage"] else 0
    return {
        "stages": Table(
            [_("Stage"), _("Deals"), _("Amount"), _("Paid")],
            [[name, str(row["count"]), sums(row, "amount"), sums(row, "paid")] for name, row in funnel],
            [row["count"] for _name, row in funnel],
        ),
        "sources": Table(
            [_("Source"), _("Deals"), _("Amount"), _("Paid")],
            [[word(one["source"]), str(one["count"]), sums(one, "amount"), sums(one, "paid")] for one in sources],
            [one["count"] for one in sources],
        ),
        "owners": Table(
            [_("Owner"), _("Deals"), label(pipeline["paidStage"]), "%"],
            [[name, str(all), str(paid), f"{100 * paid / all:.0f}"] for name, (all, paid) in sorted(owners.items())],
            [all for _name, (all, _paid) in sorted(owners.items())],
        ),
    }


async def times(view: View) -> Response:
    """The funnel with how long deals stood in each stage. In CSV times are seconds."""
    data = await view.ask("stage_times", **span(view))
    exact = bool(view.given("csv"))
    table = times_table(view, data, exact)
    if exact:
        return download(table, "times")
    return view.show("parts/stage_times", table=table, since=view.given("from"), until=view.given("to"))


def times_table(view: View, data: Row, exact: bool) -> Table:
    """`exact`: seconds as a number instead of words."""
    _, words = view.speaker.words.gettext, view.speaker.duration
    stages = (data["pipeline"] or {"stages": []})["stages"]
    found = {one["stage"]: one for one in data["stageTimes"]}
    known = [stage["key"] for stage in stages if stage["key"] in found]
    order = [*known, *(key for key in found if key not in known)]
    opened = sum(one["there"] for one in found.values())  # each deal is somewhere
    figures = "medianS", "longestTenthS", "waitingS"

    def said(seconds: float | None) -> str:
        return words(seconds) if not exact else "" if seconds is None else f"{seconds:.0f}"

    unit = ", " + _("seconds") if exact else ""
    heads = [_("Median time"), _("A tenth took longer than"), _("Those there now wait")]
    return Table(
        [_("Stage"), _("Deals"), "%", _("There now"), *(f"{head}{unit}" for head in heads)],
        [
            [
                view.stage_name(key),
                str(found[key]["deals"]),
                f"{100 * found[key]['deals'] / opened:.0f}" if opened else "",
                str(found[key]["there"]),
                *(said(found[key][name]) for name in figures),
            ]
            for key in order
        ],
        [found[key]["deals"] for key in order],
    )


def span(view: View) -> dict[str, str | None]:
    """Returns the span of time in the address, as GraphQL takes it."""
    return {name: view.moment(name) for name in ("from", "to")}
