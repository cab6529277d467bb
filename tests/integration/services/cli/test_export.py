"""`crm export`: every row of a workspace, exact, in three formats; nothing that a spreadsheet would run."""

import asyncio
import csv
from pathlib import Path
from types import SimpleNamespace
from typing import IO, Any

import polars
import psycopg
import pytest
from python_calamine import CalamineWorkbook
from typer.testing import CliRunner

from crm.delivery import HOME
from crm.scalars import Micros
from services.cli import app
from services.imports import exporting
from services.operations import export
from services.operations.export_files import FORMATS, MOST_ROWS, Column, write_xlsx
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


@pytest.mark.parametrize("ending", FORMATS)
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


@pytest.mark.parametrize("ending", FORMATS)
@pytest.mark.parametrize("torn", [b"", b"half a ro"])
def test_an_export_that_was_cut_off_goes_on(monkeypatch: pytest.MonkeyPatch, ending: str, torn: bytes) -> None:
    monkeypatch.setattr(export, "EACH", 2)
    crm("contact", f"whole{ending}")
    fetched: list[int] = []
    keep = export.keep

    def dies(note: Path, file: IO[bytes], kept: export.Kept) -> None:
        keep(note, file, kept)
        file.write(torn)
        raise KeyboardInterrupt

    monkeypatch.setattr(export, "keep", dies)
    crm("contact", f"cut{ending}", expect=130)
    assert not Path(f"cut{ending}").exists()
    monkeypatch.setattr(export, "keep", keep)
    monkeypatch.setattr(export, "copied", lambda question, columns, after: copied(fetched, question, columns, after))
    assert "is of another question" in crm("contact", f"cut{ending}", "--resume", "--where", "true", expect=1)
    crm("contact", f"cut{ending}", "--resume")
    assert read_rows(f"cut{ending}") == read_rows(f"whole{ending}") and fetched == [1]
    assert sorted(path.name for path in Path.cwd().iterdir()) == [f"cut{ending}", f"whole{ending}"]


def copied(fetched: list[int], question: export.Question, columns: Any, after: str) -> Any:
    fetched.append(len(after) and 1)
    return copy_of(question, columns, after)


copy_of = export.copied


def read_rows(name: str) -> list[Any]:
    if name.endswith(".parquet"):
        return polars.read_parquet(name).rows()
    if name.endswith(".csv"):
        return list(csv.reader(Path(name).read_text("utf-8-sig").splitlines()))
    return CalamineWorkbook.from_path(name).get_sheet_by_index(0).to_python()


def test_an_export_on_a_schedule_is_written_once_a_period(tmp_path: Path, database_url: str) -> None:
    file = tmp_path / "exports.toml"
    file.write_text(
        f'''to = "{tmp_path}/out"
        [[export]]
        workspace = "{SHOP}"
        what = "deal"
        where = "stage = 'new'"
        file = "new.csv"
        [[export]]
        workspace = "{SHOP}"
        what = "SELECT nothing FROM deal"
        file = "wrong.csv"
        every = "hour"
        '''
    )
    access: Any = SimpleNamespace(home=lambda _: HOME)
    monday = lambda: Micros(1_764_460_800_000_000)  # noqa: E731  # midnight of 2025-11-30 in Kyiv is 22:00 before
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(exporting, "now", monday)
        asyncio.run(exporting.export_due(file, database_url, access))
        made = tmp_path / "out" / SHOP / "new-2025-11-30.csv"
        assert len(read_rows(str(made))) == 4
        made.write_text("it is not written again")
        asyncio.run(exporting.export_due(file, database_url, access))
    assert [path.name for path in made.parent.iterdir()] == [made.name]
    assert made.read_text() == "it is not written again"


def test_a_query_has_no_key_to_go_on_by() -> None:
    assert "has no key to go on by" in crm(EVIL, "a.csv", "--resume", expect=1)
    assert list(Path.cwd().iterdir()) == []


def test_what_a_sheet_has_no_room_for_goes_to_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.operations.export_files.MOST_ROWS", 2)
    assert MOST_ROWS == 1_048_575
    write_xlsx(tmp_path / "a.xlsx", [Column("n", 20)], [[str(n)] for n in range(5)])
    book = CalamineWorkbook.from_path(str(tmp_path / "a.xlsx"))
    sheets = [book.get_sheet_by_name(name).to_python() for name in book.sheet_names]
    assert sheets == [[["n"], [0.0], [1.0]], [["n"], [2.0], [3.0]], [["n"], [4.0]]]
