"""What an analyst looks at first: deals by stage, revenue by source, conversion by owner; as tables, bars and CSV."""

import csv
from collections import defaultdict
from io import StringIO
from typing import NamedTuple

from starlette.responses import Response

from api.console.questions import Row
from api.console.view import View

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet would compute


class Table(NamedTuple):
    """A table of numbers. The first column names a row; `counts` are what the bars show."""

    heads: list[str]
    rows: list[list[str]]
    counts: list[int]

    @property
    def most(self) -> int:
        return max(self.counts, default=0) or 1


async def numbers(view: View) -> Response:
    tables = await read(view)
    if (wanted := view.given("csv")) in tables:
        saved = {"content-disposition": f"attachment; filename={wanted}.csv"}
        return Response(as_csv(tables[wanted]), 200, saved, "text/csv")
    return view.show("numbers", tables=tables, since=view.given("from"), until=view.given("to"))


async def read(view: View) -> dict[str, Table]:
    data = await view.ask("numbers", **{name: view.given(name) or None for name in ("from", "to")})
    pipeline = data["pipeline"] or {"stages": [], "paidStage": ""}
    stages = pipeline["stages"]
    _, money = view.speaker.words.gettext, view.speaker.money
    by_stage = {one["stage"]: one for one in data["stages"]}
    order = [stage["key"] for stage in stages] + [key for key in by_stage if key not in {one["key"] for one in stages}]
    labels = {stage["key"]: stage["label"] for stage in stages}

    def sums(row: Row, name: str) -> str:
        return ", ".join(map(money, row[name]))

    nothing: Row = {"count": 0, "amount": [], "paid": []}
    funnel = [(labels.get(key, key), by_stage.get(key, nothing)) for key in order]
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
            [[one["source"] or "", str(one["count"]), sums(one, "amount"), sums(one, "paid")] for one in sources],
            [one["count"] for one in sources],
        ),
        "owners": Table(
            [_("Owner"), _("Deals"), labels.get(pipeline["paidStage"], pipeline["paidStage"]), "%"],
            [[name, str(all), str(paid), f"{100 * paid / all:.0f}"] for name, (all, paid) in sorted(owners.items())],
            [all for _name, (all, _paid) in sorted(owners.items())],
        ),
    }


def as_csv(table: Table) -> str:
    """Writes for spreadsheets, which must not run what somebody typed into a form."""
    lines = StringIO()
    out = csv.writer(lines)
    for row in [table.heads, *table.rows]:
        out.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in row])
    return "\ufeff" + lines.getvalue()
