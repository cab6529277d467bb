"""Workbooks: numbers, dates and merged cells are what a person sees; what would take the role down gets a sentence."""

import datetime
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from services.imports.table import NoTable
from services.tables.workbooks import PROTECTED
from tests.support.imports import described, facts, opened, reasons


def workbook(path: Path, rows: list[list[Any]], *, from_1904: bool = False, **sheets: list[list[Any]]) -> bytes:
    file = path / "made.xlsx"
    book = xlsxwriter.Workbook(str(file), {"date_1904": from_1904})
    day = book.add_format({"num_format": "dd.mm.yyyy"})
    for name, content in {"People": rows, **sheets}.items():
        sheet = book.add_worksheet(name)
        for place, row in enumerate(content):
            for column, value in enumerate(row):
                if isinstance(value, datetime.date):
                    sheet.write_datetime(place, column, value, day)
                elif value is not None:
                    sheet.write(place, column, value)
    book.close()
    return file.read_bytes()


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_day_is_a_day_and_a_number_has_no_more_digits_than_it_had(tmp_path: Path, from_1904: bool) -> None:
    rows = [
        ["ПІБ", "Телефон", "Дата створення", "Код", "Вага"],
        ["Олена", 380671234567, datetime.date(2024, 3, 1), 17, 0.1 + 0.2],
        ["Іван", "0671234568", "02.03.2024", "0017", 1250.5],
    ]
    first, second = facts(opened(tmp_path, workbook(tmp_path, rows, from_1904=from_1904)))
    assert (first.phones[0].e164, first.key, first.fields) == ("+380671234567", "17", {"Вага": '"0.3"'})
    assert first.meta.occurred_at == 1_709_244_000_000_000  # midnight in Kyiv
    assert (second.phones[0].e164, second.key, second.fields) == ("+380671234568", "0017", {"Вага": '"1250.5"'})
    assert second.meta.occurred_at - first.meta.occurred_at == 86_400_000_000


def test_the_days_that_no_calendar_has_are_a_reason(tmp_path: Path) -> None:
    rows = [["ПІБ", "Дата створення"], ["Олена", datetime.date(1900, 1, 5)], ["Іван", "45292"]]
    said = reasons(opened(tmp_path, workbook(tmp_path, rows)))
    assert said[2].endswith("is before 1990, which must be a mistake. A whole number is in microseconds since 1970.")
    assert said[3].startswith("In 'Дата створення': 45292 is a day's number of a workbook, which counts from 1900")


def test_a_number_that_a_workbook_has_rounded_is_a_reason(tmp_path: Path) -> None:
    reading = opened(tmp_path, workbook(tmp_path, [["Name", "ID"], ["Ann", 1234567890123456789], ["Bob", "x"]]))
    assert list(reasons(reading)) == [2] and "more than 15 digits" in reasons(reading)[2]
    assert [fact.name for fact in facts(reading)] == ["Bob"]


def test_a_formula_is_what_it_shows_and_an_error_is_nothing(tmp_path: Path) -> None:
    file = tmp_path / "made.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["Name", "Half", "Broken"])
    sheet.write_row(1, 0, ["Ann"])
    sheet.write_formula(1, 1, "=21/2", None, 10.5)
    sheet.write_formula(1, 2, "=1/0", None, "#DIV/0!")
    book.close()
    assert [fact.fields for fact in facts(opened(tmp_path, file.read_bytes()))] == [{"Half": '"10.5"'}]


def test_a_cell_that_is_merged_over_rows_is_that_of_each_row(tmp_path: Path) -> None:
    file = tmp_path / "made.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.write_row(2, 1, ["Name", "City"])
    for row, name in enumerate(["Ann", "Bob", "Eve"], 3):
        sheet.write(row, 1, name)
    sheet.merge_range(3, 2, 4, 2, "Kyiv")
    sheet.write(5, 2, "Lviv")
    book.close()
    reading = opened(tmp_path, file.read_bytes())
    assert [fact.fields["City"] for fact in facts(reading)] == ['"Kyiv"', '"Kyiv"', '"Lviv"']
    assert [row.number for row in reading.table.rows()] == [4, 5, 6]


def test_the_first_sheet_with_rows_is_read_and_others_are_named(tmp_path: Path) -> None:
    book = workbook(tmp_path, [], Deals=[["Name"], ["Ann"]], Old=[["Name"], ["Bob"]])
    reading = opened(tmp_path, book)
    assert [fact.name for fact in facts(reading)] == ["Ann"]
    assert described(reading).notes == ["Only the sheet 'Deals' is read; there are also People, Old."]
    assert [fact.name for fact in facts(opened(tmp_path, book, sheet="Old"))] == ["Bob"]
    with pytest.raises(NoTable, match="It has no sheet 'New'; there are People, Deals, Old"):
        opened(tmp_path, book, sheet="New")


def test_a_password_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoTable, match="protected by a password"):
        opened(tmp_path, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600 + PROTECTED)


def test_an_archive_that_unpacks_to_nothing_but_size_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.writestr("xl/workbook.xml", b"\0" * 60_000_000)
    with pytest.raises(NoTable, match=r"unpacks to 60,000,000 bytes"):
        opened(tmp_path, file.read_bytes())


def test_a_cell_in_the_last_corner_ends_another_process_and_not_the_role(tmp_path: Path) -> None:
    file = tmp_path / "made.xlsx"
    book = xlsxwriter.Workbook(str(file))
    sheet = book.add_worksheet()
    sheet.write(0, 0, "Name")
    sheet.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(NoTable, match="more memory or time"):
        opened(tmp_path, file.read_bytes())


@pytest.mark.parametrize("content", [b"PK\x03\x04cut", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 700])
def test_a_damaged_workbook_is_said(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(NoTable, match="Nothing was imported"):
        opened(tmp_path, content)


def test_an_archive_of_something_else_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(NoTable, match="It is an archive and no workbook"):
        opened(tmp_path, file.read_bytes())


def test_a_page_that_is_called_a_workbook_is_read(tmp_path: Path) -> None:
    page = """<html><head><meta charset="utf-8"></head><body><table border=1><tr><th>ID</th><th>Ім'я</th>
    <th>Прізвище</th><th>Робочий телефон</th><th>Тип контакту</th><th>Відповідальний</th></tr>
    <tr><td>0012</td><td>Олена</td><td>Коваль</td><td>+380671234567</td><td>Клієнт</td><td>Ірина</td></tr></table>"""
    reading = opened(tmp_path, page, "contacts.xls")
    (fact,) = facts(reading)
    assert (described(reading).format, fact.system, fact.key, fact.name) == ("html", "bitrix24", "0012", "Олена Коваль")
    assert fact.fields == {"Тип контакту": '"Клієнт"', "Відповідальний": '"Ірина"'}


def test_a_sheet_of_open_document_is_read(tmp_path: Path) -> None:
    cells = "".join(
        f"<table:table-row>{''.join(row)}</table:table-row>"
        for row in (
            [text("Name"), text("Phone"), text("Create date")],
            [
                text("Ann"),
                text("067 123 45 67"),
                '<table:table-cell office:value-type="date" office:date-value="2024-03-01"/>',
            ],
        )
    )
    names = " ".join(
        f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
    )
    sheet = f'<table:table table:name="People">{cells}</table:table>'
    file = tmp_path / "made.ods"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        body = f"<office:body><office:spreadsheet>{sheet}</office:spreadsheet></office:body>"
        archive.writestr("content.xml", f"<office:document-content {names}>{body}</office:document-content>")
    reading = opened(tmp_path, file.read_bytes())
    (fact,) = facts(reading)
    assert (described(reading).format, fact.name, fact.meta.occurred_at) == ("ods", "Ann", 1_709_244_000_000_000)


def text(value: str) -> str:
    return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'
