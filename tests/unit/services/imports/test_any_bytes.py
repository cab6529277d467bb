"""Whatever is sent is read, refused with a sentence, or refused row by row: nothing else is raised, no row is lost."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from services.imports.table import NoTable
from tests.support.imports import opened
from tests.unit.services.imports.test_vcards import APPLE, FOUR, PHONE

TABLE = "ПІБ;Телефон;Сума;Стадія;Дата створення;Назва\nОлена;0671234567;1 250,50;new;01.02.2024;Диван\n"
CELLS = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "0671234567", "1,234.5", "3/15/2024 2:30 PM", "45292", "99/99/9999", "a@b.c", "=1", '"', "∞"]),
)
SETTINGS = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def read(folder: Path, content: bytes) -> int:
    """Returns how many rows were read; none of a file that is refused with a sentence."""
    try:
        return sum(1 for _ in opened(folder, content).rows())
    except NoTable as error:
        assert str(error).endswith((".", "?")), str(error)
        return 0


@SETTINGS
@given(st.binary(max_size=200))
@example(b"\xff\xfe")
@example(b"\xef\xbb\xbf")
@example(b"sep=;")
@example(b"BEGIN:VCARD\n")
@example(b"<table>")
@example(b'"')
def test_any_bytes(tmp_path: Path, content: bytes) -> None:
    read(tmp_path, content)


@SETTINGS
@given(st.sampled_from([TABLE, PHONE, APPLE, FOUR]), st.data())
def test_a_file_that_was_harmed(tmp_path: Path, text: str, data: st.DataObject) -> None:
    content = bytearray(text.encode(data.draw(st.sampled_from(["utf-8", "cp1251", "utf-16"])), "replace"))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    read(tmp_path, bytes(content[: data.draw(st.integers(1, len(content)))]))


@SETTINGS
@given(st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8))
@pytest.mark.parametrize("header", ["Name,Amount,Create date", "ID,Телефон,Сума"])
def test_any_cells(tmp_path: Path, header: str, rows: list[list[str]]) -> None:
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows]
    read(tmp_path, "\n".join([header, *lines]).encode("utf-8", "replace"))
