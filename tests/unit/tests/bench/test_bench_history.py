"""What `crm bench rebuild-under-load`, `replay` and `rebuild --scale` count, and what they find different."""

import asyncio
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from crm.envelope import named_id
from tests.bench import history_command as bench_history
from tests.bench import rebuild
from tests.bench.end_to_end import Forms
from tests.bench.replay import contents
from tests.support.workload.journal import ALIVE, EVENTS_OF_A_CARD, SHOP, interleaved


def test_a_period_counts_the_forms_that_were_posted_in_it() -> None:
    forms = Forms("http://127.0.0.1:1/in/form", "http://127.0.0.1:1/graphql", "")
    forms.posted = {"before": 9.0, "seen": 10.0, "late": 10.5, "refused": 10.6, "never": 10.7, "after": 11.0}
    forms.accepted = {name: at + 0.01 for name, at in forms.posted.items() if name != "refused"}
    forms.seen = {"before": 30.0, "seen": 10.1, "late": 12.5, "after": 11.1}
    found = forms.figures(10.0, 11.0)
    assert (found["accepted"], found["refused"], found["never_seen"]) == (3, 1, 1)
    assert (found["visible_ms"]["p50_ms"], found["visible_ms"]["max_ms"]) == (2000.0, 2000.0)
    assert found["accepted_ms"]["max_ms"] == 10.0


def test_a_journal_has_all_events_of_all_its_cards() -> None:
    """One card of each partition was lost: taking the first ALIVE of them took one more from the iterator."""
    cards = [(named_id(SHOP, f"contact {n}"), n) for n in range(ALIVE + 20)]
    events = list(interleaved(cards, 1))
    assert len(events) == len(cards) * EVENTS_OF_A_CARD
    half = len(events) // 2
    assert [*islice(interleaved(cards, 1), half), *islice(interleaved(cards, 1), half, None)] == events


def test_equal_rows_in_any_order_and_one_that_is_not(tmp_path: Path) -> None:
    rows = pl.DataFrame({"id": ["a", "b", "c"], "sum": [1, 2, None]})
    for name, frame in (("one", rows), ("other", rows.reverse()), ("wrong", rows.with_columns(pl.lit(3).alias("sum")))):
        (tmp_path / name).mkdir()
        frame.write_parquet(tmp_path / name / "deal.parquet")
    assert contents(tmp_path / "one") == contents(tmp_path / "other") != contents(tmp_path / "wrong")


def test_ten_times_the_events_are_compared_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {1_000: {"pair": 100, "timeline": 50}, 10_000: {"pair": 95, "timeline": 40}}

    async def one(events: int, *_: object) -> dict[str, Any]:
        runs = {
            name: {"events_per_second": rate, "goal": 1, "memory_peak_mb": 1} for name, rate in rates[events].items()
        }
        return {"settings": {"events": events}, "rebuild": runs}

    monkeypatch.setattr(rebuild, "one", one)
    found = asyncio.run(rebuild.bench(1_000, 2, 1, False, 10, 0, lambda _: None))
    assert [run["scaled_ratio"] for run in found["rebuild"].values()] == [0.95, 0.8]
    assert not found["scaled"]["goal_met"]


def test_a_table_names_all_that_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    run = {"events_per_second": 4_000, "goal": 5_000, "memory_peak_mb": 700}
    rivals = {
        "quixstreams_dataframe": {"events": 60, "events_per_second": 9.0},
        "faust_agent": {"events": 60, "failed": "it did not"},
    }
    bench_history.print_rebuilds({"settings": {"events": 1_700}, "rebuild": {"timeline": run}, "rivals": rivals})
    said = capsys.readouterr().out
    assert [line.split() for line in said.splitlines()][1:] == [
        ["timeline", "1,700", "4,000", "5,000", "700"],
        ["quixstreams_dataframe", "60", "9"],
        ["faust_agent", "60", "it", "did", "not"],
    ]


def test_a_disk_without_room_is_said_before(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"events may take .* GB of .*Nothing was measured"):
        rebuild.require_disk_space(tmp_path, 1 << 50)
