"""A chart is one file that shows the same without a network."""

import json
import re
from pathlib import Path

import pytest

from services.operations.whatif import chart
from services.operations.whatif.deal_outcomes import Share

LOADED = re.compile(r"<(?:script|link|iframe)\b[^>]*\b(?:src|href)=|@import|\bimport\(", re.IGNORECASE)
OWNERS = [Share("olena", 3, 2, None), Share("", 0, 1, None)]


@pytest.mark.parametrize("kind", chart.KINDS)
def test_every_kind_of_chart_is_written(tmp_path: Path, kind: str) -> None:
    file = tmp_path / f"chart{kind}"
    chart.save(file, "Other rules", [], OWNERS)
    content = file.read_bytes()
    assert b"Other rules" in content or kind == ".png"


def test_a_page_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    """Its scripts came from a CDN, so it was empty without a network, and the CDN saw who looked at it."""
    assert LOADED.search('<script src="https://cdn.jsdelivr.net/npm/vega@6"></script>')
    chart.save(tmp_path / "chart.html", "Other rules", [], OWNERS)
    page = (tmp_path / "chart.html").read_text("utf-8")
    assert LOADED.findall(page) == []
    assert '"editor": false' in page
    chart.save(tmp_path / "chart.json", "Other rules", [], OWNERS)
    drawn = json.loads((tmp_path / "chart.json").read_text("utf-8"))
    bars = drawn["datasets"][drawn["hconcat"][0]["data"]["name"]]
    assert [tuple(bar.values()) for bar in bars] == [
        ("olena", chart.WAS, 3),
        ("olena", chart.WOULD, 2),
        ("nobody", chart.WAS, 0),
        ("nobody", chart.WOULD, 1),
    ]


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is not a type of chart"):
        chart.save(tmp_path / "chart.xlsx", "", [], [])
