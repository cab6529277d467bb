"""The table of docs/graphql.md: which filters go with which order of each list. `make schema` writes it."""

from collections.abc import Iterator, Mapping
from pathlib import Path

from api.schema.lists import LISTS, List, moves
from api.schema.names import camel
from crm.contract.generate import with_table

PAGE = Path(__file__).resolve().parents[2] / "docs" / "graphql.md"
MARK = "<!-- filters: made by `make schema` -->"


def table(lists: Mapping[str, List]) -> str:
    """Returns the table of all lists."""
    head = ("| list | order | equality (`eq`, `in`), or none of it | range |", "|---|---|---|---|")
    return "\n".join((*head, *(row for listed in lists.values() for row in rows(listed)), ""))


def rows(listed: List) -> Iterator[str]:
    """Yields a row for each order of a list, and one for what goes with all of them."""
    name = f"`{camel(listed.name)}`"
    for by, served in listed.combinations().items():
        if not served.filters:
            continue
        equal = [" + ".join(f"`{camel(field)}`" for field in fields) for fields in served.filters if fields]
        needed = "" if () in served.filters else " (required)"
        still = "" if moves(listed.orders[f"{by}_ASC"]) else " holds still"
        yield f"| {name} | `{by}`{still} | {', '.join(equal)}{needed} | `{camel(served.ranged)}` |"
        name = ""
    if few := listed.finding_few():
        orders = ", ".join(f"`{by}`" for by in listed.combinations())
        fields = " ".join(f"`{camel(field)}`" for field in few)
        yield f"| {name} | {orders} | one of {fields}, with any other condition | any |"


def page() -> str:
    """Returns docs/graphql.md with today's table."""
    return with_table(PAGE.read_text("utf-8"), f"\n{table(LISTS)}\n", MARK)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
