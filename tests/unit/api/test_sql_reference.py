"""docs/sql.md has every column of every view."""

from api import sql_reference
from api.sql_reference import MARK, PAGE, meaning, views
from crm.projection import Column
from projections import PROJECTIONS


def test_the_page_has_the_views_of_today() -> None:
    assert PAGE.read_text("utf-8") == sql_reference.page(), "docs/sql.md has other views. Run make schema."


def test_a_column_that_the_page_lacks_is_seen() -> None:
    _, made, _ = PAGE.read_text("utf-8").split(MARK)
    assert made.replace("| `stage` | text |", "| `step` | text |", 1) != "\n" + views()


def test_every_column_of_every_row_has_a_meaning() -> None:
    meanings = {f"{p.name}.{c.name}": meaning(p, c) for p in PROJECTIONS.values() for c in p.columns}
    assert [name for name, text in meanings.items() if "fold alone" in text or not text.endswith((".", ">`."))] == []
    assert meanings["deal.amount_minor"] == "Value of the deal. In minor units of `currency`."
    assert meanings["deal.deal_id"] == "Key of the row."
    assert meaning(PROJECTIONS["deal"], Column("new_one", "text", True)) == "Used by the fold alone."
