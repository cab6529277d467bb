"""The example notebooks run and show what is in the history."""

import importlib.util
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crm.events import DealOpened, DealPaid, DealStageMoved
from crm.moments import Clock, first
from tests.support.first_quarter import archive, quarter, records
from tests.support.timeouts import TIMEOUT
from tests.support.tools import ROOT

NOTEBOOKS = ROOT / "docs" / "notebooks"
EVENTS = quarter()


@pytest.fixture(autouse=True)
def history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CRM_ARCHIVE", str(archive(tmp_path / "archive", records(EVENTS))))


def run(name: str) -> Mapping[str, Any]:
    """What its cells define."""
    spec = importlib.util.spec_from_file_location(name, NOTEBOOKS / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    _, defined = module.app.run()
    found: Mapping[str, Any] = defined
    return found


def test_the_funnel_counts_each_deal_in_each_stage() -> None:
    found = run("funnel")
    came = Counter(event.stage for event in EVENTS if isinstance(event, DealOpened | DealStageMoved))
    assert dict(found["funnel"].select("stage", "deals").iter_rows()) == came
    assert found["funnel"]["still_there"].sum() == came["new"]
    assert found["funnel"].filter(stage="part_paid")["median_days"].to_list() == [3.0]
    for chart in ("reached", "in_stage"):
        assert found[chart].to_dict()["data"]


def test_revenue_is_what_was_true_and_what_was_known_at_each_months_end() -> None:
    found = run("revenue")
    wanted = {}
    sources = {event.deal_id: event.source for event in EVENTS if isinstance(event, DealOpened)}
    for end in ("2026-02-01", "2026-03-01", "2026-04-01"):
        for what, clock in (("true", Clock.OCCURRED), ("known", Clock.RECORDED)):
            paid = [e for e in EVENTS if isinstance(e, DealPaid) and clock.of(e) < first(end)]
            for source in {sources[event.deal_id] for event in paid}:
                month_end = datetime.fromisoformat(end).replace(tzinfo=UTC)
                wanted[month_end, source, what] = sum(e.change_minor for e in paid if sources[e.deal_id] == source)
    rows = found["revenue"].select("month_end", "source", "what", "minor").iter_rows()
    assert {(end, source, what): minor for end, source, what, minor in rows} == wanted
    by_what = {key[2]: minor for key, minor in wanted.items() if key[0].month == 2}
    assert by_what["true"] > by_what["known"], "or the example would not show the difference"
    assert found["known_then"]["change_minor"].sum() == by_what["known"]
    assert found["chart"].to_dict()["data"]


def test_a_notebook_runs_as_a_script() -> None:
    subprocess.run([sys.executable, NOTEBOOKS / "funnel.py"], check=True, timeout=TIMEOUT)
