"""Pages of figures are made from the benchmarks' JSON, and say what was measured where and when."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.figures import FIGURES, complete, render


@pytest.mark.parametrize("data", sorted(FIGURES.glob("*.json")), ids=lambda path: path.stem)
def test_a_page_is_that_of_its_result(data: Path) -> None:
    result = json.loads(data.read_text("utf-8"))
    assert data.with_suffix(".md").read_text("utf-8") == render(result, data.name)
    assert {"benchmark", "machine", "measured"} <= result.keys()
    assert result["measured"].keys() == {"date", "commit"}


def test_every_kind_of_group_becomes_a_table() -> None:
    result: dict[str, Any] = {
        "benchmark": "planted",
        "machine": {"cpu": "x", "cores": 2},
        "measured": {"date": "2026-11-29", "commit": "abc"},
        "faults": [
            {"fault": "kill", "recovery_s": {"p50": 0.5, "max": None}, "ok": True},
            {"fault": "cut", "ok": False},
        ],
        "replay": {"kafka": {"events_per_second": 545194}},
        "visible_ms": {"p50_ms": 7.3},
        "goal": 1000,
        "notes": ["A note."],
    }
    assert render(result, "planted.json").splitlines()[2:] == [
        "",
        "Measured: date 2026-11-29; commit abc.",
        "",
        "Machine: cpu x; cores 2.",
        "",
        "## Faults",
        "",
        "| fault | recovery s p50 | recovery s max | ok |",
        "|---|---:|---|---:|",
        "| kill | 0.5 |  | yes |",
        "| cut |  |  | NO |",
        "",
        "## Replay",
        "",
        "|  | events per second |",
        "|---|---:|",
        "| kafka | 545,194 |",
        "",
        "## Visible ms",
        "",
        "| figure | value |",
        "|---|---:|",
        "| p50 ms | 7.3 |",
        "",
        "## Summary",
        "",
        "| figure | value |",
        "|---|---:|",
        "| goal | 1,000 |",
        "",
        "## Notes",
        "",
        "- A note.",
    ]


def test_a_list_of_rows_gets_machine_date_and_commit() -> None:
    found = complete([{"fault": "kill", "ok": True}], "chaos")
    assert list(found) == ["benchmark", "machine", "measured", "results"]
    assert found["benchmark"] == "chaos" and found["machine"]["cores"]
