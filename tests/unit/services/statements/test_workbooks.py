"""Excel: exact sums, and workbooks that would fill the memory."""

from io import BytesIO
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from xlsxwriter import Workbook

from services.statements.lines import Assumed, Line, Reading
from services.statements.reading import read
from services.tables.workbooks import PROTECTED, TOO_LARGE
from tests.support.statement_files import OURS, THEIRS, workbook


def lines(reading: Reading) -> list[Line]:
    return [line for statement in reading.statements for line in statement.lines]


def test_numbers_of_a_workbook_are_exact() -> None:
    header = ["Дата операції", "Рахунок", "Валюта", "Сума", "Призначення платежу", "Рахунок кореспондента"]
    rows = [
        header,
        ["05.10.2026", OURS, "UAH", 0.1 + 0.2, "a", THEIRS],
        ["05.10.2026", OURS, "UAH", -70000.07, "b", THEIRS],
        ["05.10.2026", OURS, "UAH", 1234567.89, "c", 26001234567890],
        ["05.10.2026", OURS, "UAH", 5, "d", THEIRS],
        ["05.10.2026", OURS, "UAH", 1.005, "e", THEIRS],
    ]
    found = read(workbook(rows), Assumed())
    assert [line.amount_minor for line in lines(found)] == [30, -7000007, 123456789, 500]
    assert lines(found)[2].iban == "26001234567890"
    assert [(one.place, one.sentence) for one in found.problems] == [
        (6, "It cannot be read: '1.005' cannot be read as one certain sum of money.")
    ]


def test_a_zip_bomb_is_refused() -> None:
    made = BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as archive, archive.open("xl/worksheets/sheet1.xml", "w") as file:
        for _ in range(257):
            file.write(bytes(1 << 20))
    found = read(made.getvalue(), Assumed())
    assert [one.sentence for one in found.problems] == [
        "It unpacks to 269,484,032 bytes, which no sheet needs: it is a zip bomb or damaged."
    ]


def test_a_cell_far_away_is_refused() -> None:
    """A reader takes memory for each cell between: this one would want 400 GB."""
    made = BytesIO()
    with Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "Дата")
        sheet.write(1_048_575, 16_383, "x")
    found = read(made.getvalue(), Assumed())
    assert [one.sentence for one in found.problems] == [" ".join(TOO_LARGE)]


def test_a_number_that_a_workbook_has_rounded_is_a_reason() -> None:
    """An account or a reference of 16 digits was taken with a last digit that the bank did not write."""
    header = ["Дата операції", "Рахунок", "Валюта", "Сума", "Референс операції"]
    rows = [["05.10.2026", OURS, "UAH", 1, 1234567890123456], ["05.10.2026", OURS, "UAH", 2, "1234567890123456"]]
    found = read(workbook([header, *rows]), Assumed())
    assert [line.bank_reference for line in lines(found)] == ["1234567890123456"]
    assert [one.place for one in found.problems] == [2]


def test_a_sheet_of_formulas() -> None:
    """What they show counts; a sum that no program has computed is a reason."""
    made = BytesIO()
    with Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["Дата операції", "Рахунок", "Валюта", "Сума"])
        for row, (formula, value) in enumerate([("=0.1+0.2", 0.1 + 0.2), ("=1/3", 1 / 3), ("=1/0", "#DIV/0!")], 1):
            sheet.write_row(row, 0, ["05.10.2026", OURS, "UAH"])
            sheet.write_formula(row, 3, formula, None, value)
    found = read(made.getvalue(), Assumed())
    assert ([line.amount_minor for line in lines(found)], [one.place for one in found.problems]) == ([30], [3, 4])


def test_merged_cells_are_those_of_each_row() -> None:
    made = BytesIO()
    with Workbook(made) as book:
        sheet = book.add_worksheet()
        sheet.merge_range(0, 0, 0, 3, "Виписка")
        sheet.write_row(1, 0, ["Дата операції", "Рахунок", "Валюта", "Сума"])
        sheet.merge_range(2, 0, 3, 0, "05.10.2026")
        sheet.merge_range(2, 1, 3, 1, OURS)
        for row in (2, 3):
            sheet.write_row(row, 2, ["UAH", row])
    found = read(made.getvalue(), Assumed())
    assert ([(str(line.day), line.amount_minor) for line in lines(found)], found.problems) == (
        [("2026-10-05", 200), ("2026-10-05", 300)],
        [],
    )


@pytest.mark.parametrize("body", [b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600) + PROTECTED])
def test_a_password_is_said(body: bytes) -> None:
    found = read(body, Assumed())
    assert [one.sentence for one in found.problems] == [
        "It is protected by a password. Save it without one and send it again."
    ]


def test_a_workbook_that_is_cut_is_a_sentence() -> None:
    whole = workbook([["Дата", "Сума"], ["05.10.2026", 1.5]])
    for end in range(4, len(whole), 97):
        found = read(whole[:end], Assumed())
        assert (found.statements, len(found.problems)) == ([], 1)
