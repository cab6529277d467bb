"""An analyst's file over an archive: every target has the same rows, within the bounds that were asked for."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from msgspec.structs import asdict
from typer.testing import CliRunner

from crm import Event, Projection, json_of
from crm.events import DealPaid
from crm.moments import Clock, first, last
from services.cli import app
from streams.rebuild.projection_file import projections_in
from streams.rebuild.read.source import Chunk
from streams.replay import fold_partition, replay
from streams.replay.spill import Spill
from tests.support.first_quarter import archive, quarter, records
from tests.support.tools import ROOT

DOCS = ROOT / "docs" / "replay"
EVENTS = quarter()
SHOP = EVENTS[0].meta.workspace


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("old") / "archive", records(EVENTS))


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Copied, as its first line says."""
    return Path(shutil.copy(DOCS / "template.py", tmp_path / "mine.py"))


def rows_of(projection: Projection[Any], events: Sequence[Event] = EVENTS) -> list[dict[str, Any]]:
    """Folded one by one, as nothing else here does it."""
    rows: dict[str, Any] = {}
    for event in events:
        if isinstance(event, projection.handles):
            key = projection.key_of(event)
            rows[key] = projection.fold(rows.get(key) if projection.needs_row else None, event)
    found = [{"workspace": SHOP, **asdict(row)} for row in rows.values() if row is not None]
    return sorted(found, key=lambda row: str(row[projection.key]))


def found_in(table: pl.DataFrame, projection: Projection[Any]) -> list[dict[str, Any]]:
    times = [c.name for c in projection.columns if c.type == "timestamptz"]
    plain = table.with_columns(pl.col(name).dt.epoch("us") for name in times)
    rows = plain.sort(projection.key).to_dicts()
    return [row | {name: json_of(json.loads(row[name])) for name in projection.json_columns} for row in rows]


def one_by_one(chunks: Any) -> Any:
    """The same history in slabs of one event each."""

    async def single(*given: Any) -> Any:
        async for chunk in chunks(*given):
            for n in range(len(chunk.values)):
                yield Chunk(chunk.partition, chunk.first + n, chunk.values[n : n + 1])

    return single


def run(*arguments: object) -> Any:
    done = CliRunner().invoke(app, ["replay", *map(str, arguments)], prog_name="crm")
    assert done.exit_code == 0, done.output
    return done


def test_the_template_works_when_it_is_copied(old: Path, template: Path) -> None:
    (projection,) = projections_in(template).values()
    wanted = rows_of(projection)
    assert len(wanted) == 50
    assert found_in(replay(template, archive=old), projection) == wanted
    assert found_in(replay(projection, archive=str(old)), projection) == wanted
    arrow = replay(projection, archive=old, table="arrow")
    assert type(arrow).__module__ == "pyarrow.lib"
    assert arrow.num_rows == 50


def test_what_memory_has_no_room_for_waits_on_the_disk(
    old: Path, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are evicted after each event and restored for the next; the table is the same, and nothing is left."""
    evictions: list[int] = []
    put = Spill.put
    monkeypatch.setattr(Spill, "put", lambda spill, rows: (evictions.append(len(rows)), put(spill, rows))[1])
    monkeypatch.setattr(fold_partition, "chunks", one_by_one(fold_partition.chunks))
    (projection,) = projections_in(template).values()
    assert found_in(replay(projection, archive=old, memory=0), projection) == rows_of(projection)
    assert len(evictions) > 50
    assert found_in(replay(template, archive=old, memory=1), projection) == rows_of(projection), "in processes too"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py"]


def test_every_target_has_the_same_rows(old: Path, template: Path, tmp_path: Path) -> None:
    (projection,) = projections_in(template).values()
    wanted = replay(projection, archive=old)
    run(template, "--archive", old, "--out", tmp_path / "x.parquet")
    assert pl.read_parquet(tmp_path / "x.parquet").equals(wanted)
    run(template, "--archive", old, "--to", "csv", "--out", tmp_path / "x.csv")
    assert pl.read_csv(tmp_path / "x.csv", try_parse_dates=True).cast(dict(wanted.schema)).equals(wanted)
    run(template, "--archive", old, "--to", "duckdb", "--out", tmp_path / "x.duckdb")
    with duckdb.connect(str(tmp_path / "x.duckdb")) as conn:
        totals = conn.execute("SELECT count(*), sum(paid_minor), min(opened_at)::text FROM deal_value").fetchall()
    assert totals[0][:2] == (50, wanted["paid_minor"].sum())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.py", "x.csv", "x.duckdb", "x.parquet"]


def test_a_duckdb_keeps_what_else_is_in_it(old: Path, template: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.duckdb"
    with duckdb.connect(str(out)) as conn:
        conn.execute("CREATE TABLE notes AS SELECT 1 AS one; CREATE TABLE deal_value AS SELECT 2 AS two")
    run(template, "--archive", old, "--to", "duckdb", "--out", out)
    with duckdb.connect(str(out)) as conn:
        assert conn.execute("SELECT one FROM notes").fetchall() == [(1,)]
        assert conn.execute("SELECT count(*) FROM deal_value").fetchall() == [(50,)]


def test_a_file_with_two_projections_makes_two_files(old: Path, tmp_path: Path) -> None:
    output = json.loads(run(DOCS / "revenue.py", "--archive", old, "--out", tmp_path, "--json").stdout)
    assert output["rows"] == {"origin": 50, "receipt": 39}
    assert output["events"] == len(EVENTS)
    assert pl.read_parquet(tmp_path / "receipt.parquet").height == 39
    with pytest.raises(
        ValueError, match=r"A table has the rows of one projection: pass its name\. .* declares origin, receipt"
    ):
        replay(DOCS / "revenue.py", archive=old)
    assert replay(DOCS / "revenue.py", name="origin", archive=old).height == 50


@pytest.mark.parametrize("clock", Clock)
@pytest.mark.parametrize(
    ("since", "until"), [("2026-02-01", "2026-02-28"), ("", "2026-01-20T12:00"), ("2026-03-01", "")]
)
def test_bounds_are_by_either_clock_and_count_both_ends(old: Path, clock: Clock, since: str, until: str) -> None:
    projection = projections_in(DOCS / "revenue.py")["receipt"]
    begin, end = first(since or "0001-01-01"), last(until or "9999-01-01")
    within = [event for event in EVENTS if begin <= clock.of(event) <= end]
    found = replay(projection, archive=old, since=since, until=until, clock=clock)
    assert found_in(found, projection) == rows_of(projection, within)
    assert 0 < found.height < 39


def test_bounds_by_workspace_and_type(old: Path) -> None:
    projection = projections_in(DOCS / "template.py")["deal_value"]
    assert replay(projection, archive=old, workspace=SHOP).height == 50
    assert replay(projection, archive=old, workspace="00000000-0000-4000-8000-000000000000").height == 0
    unpaid = [event for event in EVENTS if not isinstance(event, DealPaid)]
    found = replay(projection, archive=old, types=["DealOpened", "DealStageMoved"])
    assert found_in(found, projection) == rows_of(projection, unpaid)


def test_an_archive_with_repeats_gives_each_event_once(tmp_path: Path) -> None:
    """A relay that died sent the end of what it knew once more."""
    projection = projections_in(DOCS / "stages.py")["stage_entered"]
    repeated = {}
    for partition, every in records(EVENTS).items():
        cut = len(every) // 2
        twice = [*every[:cut], *every[max(0, cut - 3) : cut], *every[cut:]]
        repeated[partition] = [record._replace(offset=at) for at, record in enumerate(twice)]
    for files in (1, 3):
        folder = archive(tmp_path / f"archive {files}", repeated, files)
        assert found_in(replay(projection, archive=folder), projection) == rows_of(projection)
