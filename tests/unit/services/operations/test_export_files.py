"""A CSV file of an export says what Postgres wrote, and nothing in it is run by a spreadsheet."""

import csv
from pathlib import Path

import pytest

from crm.imports import guarded
from services.operations.export_files import Column, write_csv

ID, TEXT, NUMBER = 2950, 25, 20
VALUES = (
    *("", "=1+1", "+380501112233", "-5", "@x", "\tx", "\rq", "a,b", 'a"b', "a\nb", "a\r\nb", " x ", "NULL", "null"),
    *("1e5", "+", "-", "=", "--5", "+-5", "-a", "нема", '"', '""', "'", "'=1", "a;b", "\\", "\\.", "+1 (050) 5-5"),
    *(",", "\n", "NaN", "#x", "\ufeffx", "-1\n", "+\n", "=\n=", "−1"),
)


def written(value: str | None) -> str:
    """A value as COPY writes it."""
    if value is None:
        return ""
    quoted = value == "" or value == "\\." or any(sign in value for sign in ',"\n\r')
    return '"' + value.replace('"', '""') + '"' if quoted else value


def test_every_text_is_shown_and_none_is_run(tmp_path: Path) -> None:
    part, file = tmp_path / "part", tmp_path / "rows.csv"
    rows = [*VALUES, None]
    part.write_text("".join(f"id{n},{written(value)},-7\n" for n, value in enumerate(rows)), "utf-8", newline="")
    write_csv(file, [Column("id", ID), Column("id", TEXT), Column("=n", NUMBER)], part)
    content = file.read_bytes()
    assert content.startswith(b"\xef\xbb\xbfid,id,=n\r\nid0,,-7\r\nid1,'=1+1,-7\r\nid2,+380501112233,-7\r\n")
    with file.open(encoding="utf-8-sig", newline="") as read:
        _, *found = csv.reader(read)
    assert found == [[f"id{n}", guarded(value or ""), "-7"] for n, value in enumerate(rows)]


@pytest.mark.parametrize("values", [(), ("", None, "=1")])
def test_no_row_and_rows_of_one_column(tmp_path: Path, values: tuple[str | None, ...]) -> None:
    part, file = tmp_path / "part", tmp_path / "rows.csv"
    part.write_text("".join(f"{written(value)}\n" for value in values), "utf-8")
    write_csv(file, [Column("name", TEXT)], part)
    assert len(file.read_bytes().split(b"\r\n")) == len(values) + 2
