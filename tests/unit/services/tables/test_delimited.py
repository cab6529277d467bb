"""Rows of a text: a delimiter that is found, and quotes of every kind."""

import pytest

from services.tables.delimited import delimiter_of, rows_of


def cells(text: str, delimiter: str = ";", width: int = 3) -> list[list[str]]:
    lines = text.splitlines(keepends=True)
    return [row.cells for row in rows_of([(line, 0) for line in lines], delimiter, width)]


@pytest.mark.parametrize(
    ("lines", "delimiter", "width"),
    [
        (["Дата;Сума;Кому", "1;2,5;a", "1;3,5;a;b"], ";", 3),  # a decimal comma is in more rows than three cells
        (["Виписка, на 1", "", "Дата;Сума;Кому", "1;2,5;a"], ";", 3),
        (["Name\tCity", "Ann\tKyiv, 1", "Bob\tLviv, 2"], "\t", 2),
        (["Name", "Ann", "Bob"], ";", 1),
    ],
)
def test_the_delimiter(lines: list[str], delimiter: str, width: int) -> None:
    assert delimiter_of(lines) == (delimiter, width)


@pytest.mark.parametrize(
    ("line", "row"),
    [
        ('"a;b";"c ""d""";e', ["a;b", 'c "d"', "e"]),
        ('"a" b;c;d', ['"a" b', "c", "d"]),
        ('a "b;c;d', ['a "b', "c", "d"]),
        ('"a;b;c', ['"a', "b", "c"]),
        ('"a";"b" c;"d"', ["a", '"b" c', "d"]),
    ],
)
def test_quotes(line: str, row: list[str]) -> None:
    assert cells(f"{line}\nx;y;z\n") == [row, ["x", "y", "z"]]


def test_a_cell_of_several_lines() -> None:
    assert cells('a;"b\nc\n\nd";e\nx;y;z') == [["a", "b\nc\n\nd", "e"], ["x", "y", "z"]]
    assert cells('a;"b\nx;y;z\nc";e\n') == [["a", '"b'], ["x", "y", "z"], ['c"', "e"]]
