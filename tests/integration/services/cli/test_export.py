"""`crm export`: every row of a workspace, exact, in three formats; nothing that a spreadsheet would run."""

import csv
from pathlib import Path

import polars
import psycopg
import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from services.cli import app
from services.operations.export import MOST_ROWS, WRITERS, Column, write_xlsx
from tests.support.shop_rows import OTHER, SHOP, SHOP_ROWS, contact, deal, insert

EVIL = (
    "SELECT * FROM (VALUES ('=1+1', '+380501112233', '-5', '@x', 'a,\"b\"', 9007199254740993::bigint, true, "
    "'2026-01-02 03:04:05.6+00'::timestamptz, NULL, 12345678901234567890.10), "
    "('', '00012', '+cmd|x', '\tx', 'ї', -7, false, NULL, '', NULL)) AS v (a, b, c, d, e, n, t, at, z, sum)"
)


@pytest.fixture(autouse=True)
def stack(database_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("KAFKA_BOOTSTRAP", "127.0.0.1:1")  # nobody asks it
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module", autouse=True)
def rows(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as conn:
        insert(conn, SHOP, *SHOP_ROWS)
        insert(conn, OTHER, contact("Nobody"), deal(99))


def crm(*arguments: str, expect: int = 0) -> str:
    done = CliRunner().invoke(app, ["export", *arguments, "--workspace", SHOP])
    assert done.exit_code == expect, done.output
    return done.output


def test_a_text_that_a_spreadsheet_would_run_is_a_text(tmp_path: Path) -> None:
    crm(EVIL, "evil.csv")
    with Path("evil.csv").open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file)) == [
            ["a", "b", "c", "d", "e", "n", "t", "at", "z", "sum"],
            ["'=1+1", "+380501112233", "-5", "'@x", 'a,"b"', "9007199254740993", "t", "2026-01-02 03:04:05.6+00", "",
             "12345678901234567890.10"],
            ["", "00012", "'+cmd|x", "'\tx", "ї", "-7", "f", "", "", ""],
        ]  # fmt: skip


def test_a_workbook_has_texts_as_texts_and_no_number_loses_a_digit() -> None:
    crm(EVIL, "evil.xlsx")
    book = CalamineWorkbook.from_path("evil.xlsx")
    assert book.get_sheet_by_index(0).to_python() == [
        ["a", "b", "c", "d", "e", "n", "t", "at", "z", "sum"],
        ["=1+1", "+380501112233", "-5", "@x", 'a,"b"', "9007199254740993", "t", "2026-01-02 03:04:05.6+00", "",
         "12345678901234567890.10"],
        ["", "00012", "+cmd|x", "\tx", "ї", -7.0, "f", "", "", ""],
    ]  # fmt: skip


def test_parquet_has_types() -> None:
    crm(EVIL, "evil.parquet")
    frame = polars.read_parquet("evil.parquet")
    assert dict(frame.schema) == dict.fromkeys("abcdez", polars.String) | {
        "n": polars.Int64(),
        "t": polars.Boolean(),
        "at": polars.Datetime("us", "UTC"),
        "sum": polars.String(),
    }
    assert frame["n"].to_list() == [9007199254740993, -7] and frame["t"].to_list() == [True, False]
    assert frame["sum"].to_list() == ["12345678901234567890.10", None]
    assert str(frame["at"][0]) == "2026-01-02 03:04:05.600000+00:00" and frame["at"][1] is None


@pytest.mark.parametrize("ending", WRITERS)
def test_a_view_gives_the_rows_of_its_workspace_alone(ending: str) -> None:
    said = crm("deal", f"deals{ending}", "--where", "stage = 'new'")
    assert "Exported 3 rows" in said
    assert "Exported 0 rows" in crm("deal", f"none{ending}", "--where", "false")
    assert sorted(path.name for path in Path.cwd().iterdir()) == sorted([f"deals{ending}", f"none{ending}"])


@pytest.mark.parametrize(
    ("what", "file", "why"),
    [
        ("deals", "a.csv", "There is no view 'deals'. The views are"),
        ("", "a.csv", "There is no view ''"),
        ("deal", "a.doc", "a.doc has no ending that is known"),
        ("DELETE FROM deal", "a.csv", "There is no view 'DELETE FROM deal'"),
        ("WITH x AS (DELETE FROM deal RETURNING 1) SELECT * FROM x", "a.csv", ""),
    ],
)
def test_what_cannot_be_exported_leaves_no_file(what: str, file: str, why: str) -> None:
    assert why in crm(what, file, expect=1)
    assert list(Path.cwd().iterdir()) == []


def test_what_a_sheet_has_no_room_for_goes_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.operations.export.MOST_ROWS", 2)
    assert MOST_ROWS == 1_048_575
    assert write_xlsx(tmp_path / "a.xlsx", [Column("n", 20)], [[str(n)] for n in range(5)]) == 5
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert sheets == [[["n"], [0.0], [1.0]], [["n"], [2.0], [3.0]], [["n"], [4.0]]]
