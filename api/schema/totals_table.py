"""The table of docs/totals.md: which groups go with which time and sums. `make schema` writes it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from api.schema.names import camel, type_name
from api.schema.totals import COUNTED, sum_name
from api.sql import extremes
from crm import totals
from crm.contract.generate import with_table
from crm.projection import Projection

PAGE = Path(__file__).resolve().parents[2] / "docs" / "totals.md"
MARK = "<!-- totals: made by `make schema` -->"
HEAD = ("| field | groups and filters that go together | time | sums | lowest and highest |", "|---|---|---|---|---|")


def table() -> str:
    return "\n".join((*HEAD, *(row for projection in COUNTED.values() for row in rows(projection)), ""))


def rows(projection: Projection[Any]) -> Iterator[str]:
    """Yields a row for each total, and one for amounts of which an index has the ends without any group."""
    field = f"`{type_name(projection.name)[0].lower()}{type_name(projection.name)[1:]}Totals`"
    sums = " ".join(f"`{camel(sum_name(name))}`" for name in projection.summed)
    for total in totals.totals(projection):
        by = " ".join(f"`{camel(name)}`" for name in total.columns)
        time = f"`{camel(total.time)}`" if total.time else ""
        yield f"| {field} | {by} | {time} | {sums} | {'' if total.time else ends(projection, total.columns)} |"
        field = ""


def ends(projection: Projection[Any], columns: tuple[str, ...]) -> str:
    """Returns the lowest and highest amounts, with the groups that have them."""
    found = []
    for column in extremes.columns(projection):
        names = " ".join(f"`{camel(extremes.field(column, end))}`" for end in extremes.ENDS)
        fit = [group for group in extremes.groups(projection, column) if set(group) <= set(columns)]
        by = ", ".join(" ".join(f"`{camel(name)}`" for name in group) or "no group" for group in fit)
        found.append(f"{names} by {by}")
    return "; ".join(found)


def page() -> str:
    """Returns docs/totals.md with today's table."""
    return with_table(PAGE.read_text("utf-8"), f"\n{table()}\n", MARK)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
