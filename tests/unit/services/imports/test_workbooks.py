"""Workbooks: numbers, dates and merged cells are what a person sees; what would take the role down gets a sentence."""

import datetime
import io
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
    assert said[2] == (
        "In 'Дата створення': '1900-01-05' is before 1990, which must be a mistake: an empty date of a workbook, or a "
        "year of two digits, is shown so."
    )
    assert said[3].startswith("In 'Дата створення': 45292 is a day's number of a workbook, which counts from 1900")


def test_days_of_1900_that_were_copied_into_a_workbook_of_1904_are_a_reason(tmp_path: Path) -> None:
    file = tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(str(file), {"date_1904": True}) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["ПІБ", "Дата створення"])
        sheet.write(1, 0, "Олена")
        sheet.write_number(1, 1, 45292, book.add_format({"num_format": "dd.mm.yyyy"}))
    assert reasons(opened(tmp_path, file.read_bytes())) == {
        2: "In 'Дата створення': '2028-01-02' is more than a day ahead, which must be a mistake: copied into a "
        "workbook that counts from 1904, days are four years late."
    }


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


@pytest.mark.parametrize("saved", ["", "<v></v>", "<v/>"])
def test_a_formula_that_was_saved_without_its_value_is_a_reason(tmp_path: Path, saved: str) -> None:
    """A sheet of formulas that a program wrote was read as empty cells, and nothing was said."""
    content = workbook(tmp_path, [["Name", "Phone"], ["Ann", "=A1"], ["Bob", "0671234567"], ["Eve", '=""']])
    book, made = zipfile.ZipFile(io.BytesIO(content)), tmp_path / "without.xlsx"
    with zipfile.ZipFile(made, "w") as archive:
        for name in book.namelist():
            part = book.read(name).replace(b"<f>A1</f><v>0</v>", b"<f>A1</f>" + saved.encode())
            archive.writestr(name, part.replace(b'<c r="B4"><f>""</f><v>0</v>', b'<c r="B4" t="str"><f>""</f><v></v>'))
    reading = opened(tmp_path, made.read_bytes())
    assert reasons(reading) == {
        2: "Cell B2 is a formula that was saved without its value: open the file in Excel and save it again."
    }
    assert [fact.name for fact in facts(reading)] == ["Bob", "Eve"]


def test_a_cell_that_is_merged_over_rows_and_columns_is_that_of_each_row(tmp_path: Path) -> None:
    file = tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Name", "City", "District"])
        sheet.write_column(1, 0, ["Ann", "Bob"])
        sheet.merge_range(1, 1, 2, 2, "Kyiv")
    assert [fact.fields for fact in facts(opened(tmp_path, file.read_bytes()))] == [{"City": '"Kyiv"'}] * 2


def test_a_total_that_is_merged_over_columns_is_a_reason(tmp_path: Path) -> None:
    """A row "Разом 2" below the people became a contact of that name."""
    file = tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 3, "Клієнти")
        sheet.write_row(1, 0, ["ПІБ", "Телефон"])
        sheet.merge_range(1, 2, 1, 3, "Адреса")
        sheet.write_row(2, 0, ["Олена", "0671234567"])
        sheet.merge_range(2, 2, 2, 3, "Львів, Головна 1")
        sheet.merge_range(3, 2, 3, 3, "Без імені")
        sheet.merge_range(4, 0, 4, 1, "Разом 2")
        sheet.write(4, 2, "2 адреси")
    reading = opened(tmp_path, file.read_bytes())
    assert reasons(reading) == {
        5: "'Разом 2' is merged over the columns 'ПІБ' and 'Телефон': a heading or a total, and no row of the table."
    }
    assert [fact.fields for fact in facts(reading)] == [{"Адреса": '"Львів, Головна 1"'}, {"Адреса": '"Без імені"'}]


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


def test_a_password_of_open_document_and_of_the_archive_is_said(tmp_path: Path) -> None:
    """They were called damaged."""
    document = tmp_path / "made.ods"
    with zipfile.ZipFile(document, "w") as archive:
        archive.writestr("META-INF/manifest.xml", "<file-entry><manifest:encryption-data/></file-entry>")
        archive.writestr("content.xml", bytes(range(256)))
    locked = bytearray(workbook(tmp_path, [["Name"], ["Ann"]]))
    locked[locked.index(b"PK\x01\x02") + 8] |= 1
    for content in (document.read_bytes(), bytes(locked)):
        with pytest.raises(NoTable, match="protected by a password"):
            opened(tmp_path, content)


def test_a_sheet_of_16384_columns_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoTable, match=r"It has 16,384 columns; at most 1,000 are read\. Nothing"):
        opened(tmp_path, workbook(tmp_path, [[f"c{n}" for n in range(16_384)], ["x"]]))


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
