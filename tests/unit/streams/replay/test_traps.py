"""What libraries do to valid rows and files, seen in the versions named here: with us the right value comes out."""

import csv
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from typer.testing import CliRunner

from crm.adapters.archive import manifest
from crm.adapters.archive.container import ArchivedRecord, Container, long
from crm.projection import Projection
from services.cli import app
from streams.rebuild.projection_file import projections_in
from streams.rebuild.read import archive_source
from streams.rebuild.read.archive_source import pieces
from streams.replay import replay
from streams.replay.targets import with_texts
from tests.support.first_quarter import archive, quarter, records

EVENTS = quarter(40)
# Each of these has been changed by some reader or writer of tables: 2^53 + 1 by doubles, `+380…` and leading zeros by
# pyarrow 26 and DuckDB 2.0.1's CSV readers, `nan` and `null` by pandas, digits of ids by all of them.
MINE = """
from crm import Id, Micros, Row, projection
from crm.events import DealPaid

TEXTS = {texts!r}
NUMBERS = {numbers!r}

class TrapRow(Row, frozen=True, gc=False):
    deal_id: Id
    text: str
    number: int
    may_be: int | None
    at: Micros
    words: tuple[str, ...]
    fields: dict[str, str]

@projection(key="deal_id", version=1)
def trap(row: TrapRow | None, event: DealPaid) -> TrapRow | None:
    n = sum(event.deal_id.encode())
    text = TEXTS[n % len(TEXTS)]
    number = NUMBERS[n % len(NUMBERS)]
    return TrapRow(event.deal_id, text, number, None if n % 2 else number, event.meta.occurred_at, (text, "б"), {{
        "exact": "12345678901234567890.10", "small": "0.1000000000000000055", "id": "9007199254740993"}})
"""
TEXTS = [
    *("+380671234567", "0671234567", "00042", "1e5", "nan", "null", "NA", "", " ", "yes", "05.06.26", "_x0041_"),
    *("=1+1", "internal: x", 'лапки "і" коми, крапки;', "два\nрядки\r\nй три", "9007199254740993", "'", "\\N"),
]
NUMBERS = [2**53 + 1, 2**63 - 1, -(2**63), 0, -1, 9007199254740993]


@pytest.fixture(scope="module")
def old(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return archive(tmp_path_factory.mktemp("old") / "archive", records(EVENTS))


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(MINE.format(texts=TEXTS, numbers=NUMBERS))
    return tmp_path / "mine.py"


def wanted(projection: Projection[Any]) -> list[dict[str, Any]]:
    """Folded one by one."""
    rows = {}
    for event in EVENTS:
        if isinstance(event, projection.handles):
            row = projection.fold(None, event)
            rows[row.deal_id] = {
                "deal_id": row.deal_id,
                "text": row.text,
                "number": row.number,
                "may_be": row.may_be,
                "words": list(row.words),
                "fields": "{" + ",".join(f'"{name}":{text}' for name, text in row.fields.items()) + "}",
            }
    assert len({row["text"] for row in rows.values()}) > 10, "the traps are there"
    return sorted(rows.values(), key=lambda row: str(row["deal_id"]))


def to(mine: Path, old: Path, kind: str) -> Path:
    out = mine.with_name(f"x.{kind}")
    done = CliRunner().invoke(app, ["replay", str(mine), "--archive", str(old), "--to", kind, "--out", str(out)])
    assert done.exit_code == 0, done.output
    return out


def of_polars(table: pl.DataFrame) -> list[dict[str, Any]]:
    return table.sort("deal_id").drop("workspace", "at").to_dicts()


def test_a_data_frame_and_an_arrow_table_have_each_digit(mine: Path, old: Path) -> None:
    (projection,) = projections_in(mine).values()
    assert of_polars(replay(mine, archive=old)) == wanted(projection)
    arrow = replay(mine, archive=old, table="arrow")
    assert arrow.schema.field("number").type == pa.int64()
    rows = arrow.drop_columns(["workspace", "at"]).sort_by("deal_id").to_pylist()
    assert rows == wanted(projection)


def test_a_parquet_file_has_text_as_text_for_every_reader(mine: Path, old: Path) -> None:
    """Ids and JSON as binary columns (DuckDB's own UUID and JSON types) would be bytes for polars."""
    (projection,) = projections_in(mine).values()
    out = to(mine, old, "parquet")
    assert of_polars(pl.read_parquet(out)) == wanted(projection)
    by_arrow = pyarrow.parquet.read_table(out).drop_columns(["workspace", "at"]).sort_by("deal_id").to_pylist()
    assert by_arrow == wanted(projection)
    query = f"SELECT deal_id, text, number, may_be, words, fields FROM '{out}' ORDER BY deal_id"
    with duckdb.connect() as conn:
        assert [list(row) for row in conn.execute(query).fetchall()] == [list(r.values()) for r in wanted(projection)]


def test_a_duckdb_has_each_digit_and_sums_exactly(mine: Path, old: Path) -> None:
    (projection,) = projections_in(mine).values()
    with duckdb.connect(str(to(mine, old, "duckdb"))) as conn:
        rows = conn.execute("SELECT deal_id, text, number, may_be, words FROM trap ORDER BY 1").fetchall()
        (total, kind) = conn.execute("SELECT sum(number), typeof(sum(number)) FROM trap").fetchone() or ()
        types = dict(conn.execute("SELECT column_name, data_type FROM information_schema.columns").fetchall())
        (exact,) = conn.execute("SELECT DISTINCT fields->>['id', 'exact', 'small'] FROM trap").fetchall()
        (sums,) = conn.execute("SELECT sum((fields->>'exact')::DECIMAL(38, 2)) FROM trap").fetchall()
    assert [list(row) for row in rows] == [[*row.values()][:-1] for row in wanted(projection)]
    assert (total, kind) == (sum(row["number"] for row in wanted(projection)), "HUGEINT")
    assert exact == (["9007199254740993", "12345678901234567890.10", "0.1000000000000000055"],)
    assert sums == (Decimal("12345678901234567890.10") * len(rows),)
    assert (types["fields"], types["number"], types["at"]) == ("JSON", "BIGINT", "TIMESTAMP WITH TIME ZONE")


def test_duckdb_itself_reads_numbers_in_json_as_doubles() -> None:
    """DuckDB 2.0.1; when this fails, `exact_json` may go."""
    with duckdb.connect() as conn:
        found = conn.execute("""SELECT '{"a":12345678901234567890.10}'::JSON->>'a'""").fetchall()
    assert found == [("12345678901234567000.0",)], "the trap is gone"
    assert with_texts('{"a":1.10,"b":[-2e5,{"c":"1.5"}],"d":123456789012345678901234567890,"e":"ї"}') == (
        '{"a":"1.10","b":["-2e5",{"c":"1.5"}],"d":123456789012345678901234567890,"e":"ї"}'
    )


def test_a_csv_file_has_text_as_it_was_for_those_who_read_text(mine: Path, old: Path) -> None:
    """A reader that guesses types makes a number of `+380671234567` and of `00042`: it must not guess."""
    (projection,) = projections_in(mine).values()
    with to(mine, old, "csv").open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["deal_id"])
    for row, right in zip(rows, wanted(projection), strict=True):
        assert (row["text"], row["fields"]) == (right["text"], right["fields"])
        assert int(row["number"]) == right["number"]
        assert row["may_be"] == ("" if right["may_be"] is None else str(right["may_be"]))
        assert json.loads(row["words"]) == right["words"]


def with_empty_blocks(path: Path, of: list[ArchivedRecord]) -> None:
    """As Avro allows it, and as some writers end a flush: a block of no records between two that have some."""
    container = Container(path, "crm.journal", 0)
    for record in of:
        container.add([record])
        container.flush()
        container.file.write(long(0) + long(0) + container.mark)
    container.finish()


def test_a_block_without_records_is_not_the_end_of_an_archives_file(tmp_path: Path) -> None:
    """polars 2.1.0 `read_avro` stops at it without an error, and so does Java's reader."""
    every = next(iter(records(EVENTS).values()))
    path = tmp_path / "file.avro"
    with_empty_blocks(path, every)
    assert pl.read_avro(path).height == 1 < len(every), "the trap is gone: this polars goes on"
    with path.open("rb") as content:
        found = [(pl.read_avro(piece), count) for piece, count in pieces(content)]
    assert [value for frame, _ in found for value in frame["value"].to_list()] == [record.value for record in every]
    assert sum(count for _, count in found) == len(every)


def test_records_that_a_reader_passes_over_are_missed(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever polars leaves out: the count of each block is compared."""
    file = next(file for file in manifest.read(old).files if file.count > 1)
    read = pl.read_avro
    monkeypatch.setattr(archive_source.pl, "read_avro", lambda *given, **more: read(*given, **more).head(1))
    with pytest.raises(archive_source.Broken, match=rf"{file.count} records are stored, and 1 were read"):
        list(archive_source.read(old, file))
