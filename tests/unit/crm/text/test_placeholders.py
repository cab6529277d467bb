"""What is written because a field must be filled in identifies nobody."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.text.placeholders import is_placeholder


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[
            ("name", text)
            for text in ("", "-", "—", "...", "?", "немає", "Нема", "НІ", "нет", "no", "None", "N/A", "null")
        ],
        *[
            ("name", text)
            for text in ("тест", "Test Test", "test 1", "xxx", "ааа", "Ім'я", "Гість", "Анонім", "Не вказано")
        ],
        *[("name", text) for text in ("asdf", "qwerty", "123", "(not set)", "undefined", "User", "client")],
        *[("email", text) for text in ("-", "немає", "no", "no@mail.com", "No@Mail.com", "none@none.com", "no@no.no")],
        *[
            ("email", text)
            for text in ("test@test.com", "test@test.ua", "test@gmail.com", "test@example.com", "a@a.com")
        ],
        *[
            ("email", text)
            for text in ("aaa@aaa.aa", "123@123.com", "asdf@asdf.com", "user@example.com", "mail@mail.ru")
        ],
        *[
            ("email", text)
            for text in ("noreply@shop.example", "no-reply@shop.example", "nemae@gmail.com", "x@host.invalid")
        ],
        *[("phone", text) for text in ("", "-", "немає", "+380000000000", "0000000000", "1111111111", "+380999999999")],
        *[("phone", text) for text in ("1234567890", "0123456789", "+380123456789", "+380670000000")],
    ],
)
def test_nobody(kind: str, value: str) -> None:
    assert is_placeholder(kind, value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[
            ("name", text)
            for text in ("Олена", "Ян", "Ія", "Тест Драйвенко", "Анна Ні", "Ivan Test-Petrenko", "Іван-Нет Коваль")
        ],
        *[
            ("email", text)
            for text in ("olena@example.com", "olena@mail.com", "ann@gmail.com", "o@gmail.com", "info@firm.ua")
        ],
        *[("email", text) for text in ("test.pilot@gmail.com", "testov@ukr.net", "olena@olena.com", "anna@anna.ua")],
        *[("phone", text) for text in ("+380671234567", "+380501111111", "+48601234567", "067 777 77 71")],
    ],
)
def test_somebody(kind: str, value: str) -> None:
    assert not is_placeholder(kind, value)


@given(st.sampled_from(["name", "email", "phone", "else"]), st.text())
def test_any_value_is_one_or_the_other(kind: str, value: str) -> None:
    assert is_placeholder(kind, value) in (True, False)
    assert is_placeholder(kind, value) == is_placeholder(kind, f" {value} ")
