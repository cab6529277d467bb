"""Tables of text: charset, delimiter, header and rows are found as they are, and what is wrong costs its row alone."""

from pathlib import Path

import pytest

from crm.shared import Phone
from services.imports.table import NoTable
from tests.support.imports import Crm, described, facts, opened, reasons, skipped

PEOPLE = "ПІБ;Телефон;Ел. пошта\nОлена Коваль;067 123 45 67;o@example.com\nІван Франко;050 765 43 21;i@example.com\n"


@pytest.mark.parametrize("charset", ["utf-8", "utf-8-sig", "cp1251", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
def test_a_table_is_the_same_in_every_charset(tmp_path: Path, charset: str, ends: str) -> None:
    reading = opened(tmp_path, PEOPLE.replace("\n", ends).encode(charset))
    assert [(fact.name, fact.emails) for fact in facts(reading)] == [
        ("Олена Коваль", ("o@example.com",)),
        ("Іван Франко", ("i@example.com",)),
    ]
    assert reading.table.header == ("ПІБ", "Телефон", "Ел. пошта")


def test_a_charset_that_changes_in_the_middle_is_read_as_it_changes(tmp_path: Path) -> None:
    text = PEOPLE.encode() + "Марія Заньковецька;0671112233;m@example.com\n".encode("cp1251")
    reading = opened(tmp_path, text)
    assert [fact.name for fact in facts(reading)] == ["Олена Коваль", "Іван Франко", "Марія Заньковецька"]
    assert described(reading).notes == [
        "The charset changes: 3 lines are UTF-8 and 1 are not, the first of them line 4. These were read as cp1251."
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_that_of_most_rows(tmp_path: Path, delimiter: str) -> None:
    rows = [["Name", "Phone", "Note"], ["Ann", "+380671234567", "a, b; c"], ["Bob", "+380507654321", "x"]]
    text = "\n".join(delimiter.join(f'"{cell}"' if " " in cell else cell for cell in row) for row in rows)
    reading = opened(tmp_path, text)
    assert described(reading).found["delimiter"] == delimiter
    assert [fact.fields for fact in facts(reading)] == [{"Note": '"a, b; c"'}, {"Note": '"x"'}]


def test_excels_line_that_names_the_delimiter_is_no_header(tmp_path: Path) -> None:
    reading = opened(tmp_path, "sep=;\nName;Phone\nAnn;+380671234567\n")
    assert reading.table.header == ("Name", "Phone")
    assert [(row.number, row.cells) for row in reading.table.rows()] == [(3, ("Ann", "+380671234567"))]


def test_a_title_above_the_table_and_a_header_once_more_are_no_rows(tmp_path: Path) -> None:
    text = "Клієнти на 01.11\n\nПІБ,Телефон\nАнна,0671234567\nПІБ,Телефон\nБогдан,0507654321\n"
    assert [fact.name for fact in facts(opened(tmp_path, text))] == ["Анна", "Богдан"]


def test_two_columns_of_one_name_are_two_columns(tmp_path: Path) -> None:
    reading = opened(tmp_path, "Name,City,City\nAnn,Kyiv,Lviv\n")
    assert reading.table.header == ("Name", "City", "City (2)")
    assert facts(reading)[0].fields == {"City": '"Kyiv"', "City (2)": '"Lviv"'}


def test_a_row_with_too_many_cells_costs_that_row_alone(tmp_path: Path) -> None:
    reading = opened(tmp_path, "Name,Phone\nAnn,0671234567,what\nBob,0507654321\nEve\n")
    assert reasons(reading) == {
        2: "It has 3 cells and the header 2: a quote or a delimiter is missing, or is too many."
    }
    assert [fact.name for fact in facts(reading)] == ["Bob", "Eve"]


def test_a_row_with_too_many_cells_is_not_taken_for_the_widest(tmp_path: Path) -> None:
    """The header was taken for a title, as a broken row is twice as wide, and all columns lost their names."""
    reading = opened(tmp_path, "Name,Phone\nAnn,0671234567\nBob,a,b,c,d\nEve,0507654321\n")
    assert (reading.table.header, list(reasons(reading)), len(facts(reading))) == (("Name", "Phone"), [3], 2)


def test_a_header_twice_is_no_row_however_it_is_written(tmp_path: Path) -> None:
    reading = opened(tmp_path, "Name,City,City\nAnn,Kyiv,Lviv\nNAME, City ,CITY\nBob,Odesa,x\n")
    assert [fact.name for fact in facts(reading)] == ["Ann", "Bob"]


def test_a_cell_may_have_line_breaks_and_rows_are_named_by_their_first_line(tmp_path: Path) -> None:
    reading = opened(tmp_path, 'Name,Note\nAnn,"one\ntwo"\nBob,x\n')
    assert [row.number for row in reading.table.rows()] == [2, 4]
    assert facts(reading)[0].fields == {"Note": '"one\\ntwo"'}


def test_a_table_without_a_header_loses_no_row(tmp_path: Path) -> None:
    reading = opened(tmp_path, "Ann;0671234567;Kyiv\nBob;050 765 43 21;Lviv\n")
    assert reading.table.header == ("Column 1", "Column 2", "Column 3")
    assert described(reading).columns["Column 2"] == "phones"
    assert [fact.fields["Column 1"] for fact in facts(reading)] == ['"Ann"', '"Bob"']


def test_a_quote_that_is_not_closed_costs_its_row_alone(tmp_path: Path) -> None:
    """It took all rows up to the next quote with it."""
    reading = opened(tmp_path, 'Name,Note\nAnn,"12 inch\nBob,x\nEve,"y"\nIda,z\n')
    assert reasons(reading) == {2: "A quote in it is not closed."}
    assert [fact.name for fact in facts(reading)] == ["Bob", "Eve", "Ida"]


def test_quotes_that_nobody_escaped_are_part_of_the_text(tmp_path: Path) -> None:
    """`"Альфа" ТОВ` lost its quotes."""
    reading = opened(tmp_path, 'Назва;Телефон\n"Альфа" ТОВ;0671234567\nТОВ "Бета";0507654321\n')
    assert [row.cells[0] for row in reading.table.rows()] == ['"Альфа" ТОВ', 'ТОВ "Бета"']


def test_zeros_pluses_and_all_digits_are_kept(tmp_path: Path) -> None:
    head = "Код;Телефон;Рахунок\n0001;+380671234567;UA213223130000026007233566001\n"
    text = f"{head}0012345678901234567890;067 123 45 68;00012\n"
    first, second = facts(opened(tmp_path, text))
    assert (first.key, first.phones) == ("0001", (Phone("+380671234567", "+380671234567"),))
    assert (second.key, second.phones[0].e164) == ("0012345678901234567890", "+380671234568")
    assert second.fields == {"Рахунок": '"00012"'}


def test_two_telephones_in_a_cell_are_two(tmp_path: Path) -> None:
    (fact,) = facts(opened(tmp_path, 'Name,Phone\nAnn,"067 123 45 67, 050 765 43 21"\n'))
    assert [phone.e164 for phone in fact.phones] == ["+380671234567", "+380507654321"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "It is empty."),
        (b"\n \n", "It is empty."),
        (b"%PDF-1.7 ...", "It is a PDF and no table."),
        (b"\x1f\x8b\x08", "It is a packed file and no table."),
        (b"\x7fELF\x02\x01\x01" + b"\0" * 64, "It is no text and no workbook."),
        (b"x" * 5_500_000, "It has no lines: it is no table of text."),
        (b",".join(b"c%d" % n for n in range(16_384)) + b"\n1\n", "It has 16,384 columns; at most 1,000 are read."),
    ],
)
def test_what_is_no_table_gets_a_sentence(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(NoTable) as raised:
        opened(tmp_path, content)
    assert str(raised.value).startswith(why) and "Nothing was imported." in str(raised.value)


@pytest.mark.parametrize("content", [PEOPLE, "BEGIN:VCARD\nFN:Ann\nEND:VCARD\n"])
def test_a_charset_that_is_none_is_said(tmp_path: Path, content: str) -> None:
    """Of cards it was an error of the program."""
    with pytest.raises(NoTable, match="There is no charset 'cyrillic'"):
        opened(tmp_path, content, charset="cyrillic")


@pytest.mark.parametrize("delimiter", ["::", '"'])
def test_a_delimiter_that_is_none_is_said(tmp_path: Path, delimiter: str) -> None:
    with pytest.raises(NoTable, match="A delimiter is one character"):
        opened(tmp_path, PEOPLE, delimiter=delimiter)


def test_the_same_file_again_changes_nothing_and_a_corrected_one_only_what_was_corrected(tmp_path: Path) -> None:
    crm, again = Crm(), PEOPLE.replace("Іван Франко", "Іван Якович Франко")
    assert crm.run(opened(tmp_path, PEOPLE)) == ["create", "create"]
    before = len(crm.decide.journal)
    assert crm.run(opened(tmp_path, PEOPLE)) == ["unchanged", "unchanged"]
    assert len(crm.decide.journal) == before
    assert crm.run(opened(tmp_path, again)) == ["unchanged", "update"]


def test_a_row_that_says_nothing_is_skipped(tmp_path: Path) -> None:
    reading = opened(tmp_path, "Record ID,First Name,Email\n1,Ann,a@example.com\n2,,\n,,\n")
    assert (skipped(reading), len(facts(reading))) == ([3], 1)
