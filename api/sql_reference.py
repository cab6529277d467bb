"""Writes the views' columns into docs/sql.md: `python -m api.sql_reference` (part of `make schema`).

A column means what the GraphQL field of the same name means, so it is described in one place.
"""

from pathlib import Path
from typing import Any

from api.schema.names import camel, type_name
from api.schema.root import schema
from crm.contract.generate import with_table
from crm.objects import SLOTS
from crm.projection import Column, Projection
from projections import PROJECTIONS

PAGE = Path(__file__).parent.parent / "docs" / "sql.md"
MARK = "<!-- views: made by `make schema` -->"
MINOR = "_minor"
FILE = "Each is a JSON object: kind, name, media_type, size, ref."
SHARE = "Each is a JSON object: deal_id, contact_id, share_minor."
SHAPES = {"files": FILE, "attachments": FILE, "shares": SHARE}
# Columns that GraphQL does not have.
HIDDEN = {
    "name_key": "The name in the form by which contacts are sorted.",
    "sources": "Which merged contact each value came from; used to separate them again.",
    "step": "Order of entries that happened at the same time.",
    "weights": "Which report each value came from; decides between reports that contradict each other.",
    **dict.fromkeys(SLOTS, "Value of an indexed field, in a form that sorts; the object type says of which field."),
}


def views() -> str:
    """Returns a section for each view."""
    return "\n".join(section(projection) for projection in PROJECTIONS.values())


def section(projection: Projection[Any]) -> str:
    rows = [f"| `{c.name}` | {kind(c)} | {meaning(projection, c)} |" for c in projection.columns]
    indexed = ", ".join(f"`{columns}`" for columns in projection.indexes)
    lines = [
        f"### {projection.name}",
        "",
        f"{' '.join(projection.about.split())}" + (f" Indexed by {indexed}." if indexed else ""),
        "",
        "| column | type | meaning |",
        "|---|---|---|",
        *rows,
    ]
    return "\n".join(lines) + "\n"


def kind(column: Column) -> str:
    return column.type + ("" if column.required else ", may be null")


def meaning(projection: Projection[Any], column: Column) -> str:
    if column.name == projection.key:
        return "Key of the row."
    kind = schema._schema.type_map[type_name(projection.name)]
    field = getattr(kind, "fields", {}).get(camel(column.name.removesuffix(MINOR)))
    about = (field.description if field else None) or HIDDEN.get(column.name, "Used by the fold alone.")
    return " ".join(filter(None, [about, unit(column), SHAPES.get(column.name, "")])).replace("|", "\\|")


def unit(column: Column) -> str:
    return "In minor units of `currency`." if column.name.endswith(MINOR) else ""


def page() -> str:
    """Returns docs/sql.md with today's views."""
    return with_table(PAGE.read_text("utf-8"), "\n" + views(), MARK)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
