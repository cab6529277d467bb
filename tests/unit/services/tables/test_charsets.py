"""Lines of a text in whatever charset."""

from io import BytesIO

import pytest

from services.tables.charsets import LONGEST_LINE, charset_of, lines_of


def read(body: bytes) -> list[str]:
    file = BytesIO(body)
    return [text for text, _ in lines_of(file, charset_of(file))]


def test_a_word_that_is_utf8_by_accident_is_read_as_the_lines_around_it() -> None:
    """`Ні` in windows-1251 is a letter of another world in UTF-8, and each line was judged alone."""
    lines = ["Олена Коваль;Так\n", "Ні\n", "Іван Франко;Ні\n"]
    assert read("".join(lines).encode("cp1251")) == lines
    assert charset_of(BytesIO("".join(lines).encode("cp1251"))).note == ""


def test_a_line_ends_as_any_program_ends_it_and_nowhere_else() -> None:
    """UTF-16 was split at every line separator of Unicode, so that a cell with one became two rows."""
    for charset in ("utf-8", "utf-16"):
        assert read("a\u2028b\nc\x85d\r\ne\rf".encode(charset)) == ["a\u2028b\n", "c\x85d\r\n", "e\r", "f"]


@pytest.mark.parametrize("charset", ["utf-8", "utf-16"])
def test_lines_are_counted_to_the_last_byte(charset: str) -> None:
    body = "ПІБ\nОлена\n".encode(charset)
    file = BytesIO(body)
    assert [done for _, done in lines_of(file, charset_of(file))][-1] == len(body)


def test_a_line_without_an_end_comes_in_pieces() -> None:
    """A file of 2 GB without lines took 2 GB of memory."""
    assert len(read(b"x" * (3 * LONGEST_LINE))) == 3
