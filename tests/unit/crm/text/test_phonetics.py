"""Spellings of one name have one key; a key's key is itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.text.phonetics import key

LETTERS = (
    "абвгґдеєжзиіїйклмнопрстуфхцчшщьюяАБВГҐДЕЄЖЗИІЇЙКЛМНОПРСТУФХЦЧШЩЬЮЯёъыэЁЪЫЭ'’ʼ- abcdefghijklmnopqrstuvwxyzŁłßéÉ"
)


@pytest.mark.parametrize(
    "spellings",
    [
        "Сергій Serhii Serhiy Sergiy Sergii",
        "Юлія Yuliia Yulia Julia Юлия Iuliia ЮЛІЯ",
        "Згурський Zghurskyi Zghurskiy",
        "Щербань Shcherban Scherban Щербан",
        "Їжакевич Yizhakevych Izhakevych їжакевич",
        "В'ячеслав В’ячеслав Вʼячеслав Viacheslav Vyacheslav Вячеслав",
        "Ігор Ihor Igor Игорь",
        "Харків Kharkiv Harkiv",
        "Євген Yevhen Evhen Evgen",
        "Мельник Melnyk Melnik",
        "Цимбалюк Tsymbaliuk Tsymbalyuk",
        "Андрієнко Andriienko Andrienko Andriyenko",
        "Олексій Oleksii Oleksiy",
        "Наталія Nataliia Natalia Наталья",
        "Віктор Viktor Victor Виктор",
        "Алла Alla Ала",
        "Алёна Алена",
        "Знам'янка Znamianka",
        "Ґалаґан Galagan Galahan",
        "Łukasz Lukasz",
    ],
)
def test_spellings_of_one_name(spellings: str) -> None:
    assert len({key(spelling) for spelling in spellings.split()}) == 1


def test_other_names_stay_others() -> None:
    names = "Олена Олег Ольга Оксана Марія Мар'яна Шевченко Шевчук Ковальчук Ковальов Бондар Бондаренко Гнат Кнат"
    assert len({key(name) for name in names.split()}) == len(names.split())


def test_marks_written_apart_are_the_same_letters() -> None:
    """A Mac writes й as и with a breve behind it."""
    assert key("Сергій Їжак") == key("Сергі" + "и\u0306" + " І\u0308жак")


def test_numbers_and_addresses_stay_what_they_are() -> None:
    assert key("+380671110033") == "380671110033"
    assert key("o.koval@example.com").split() == ["o", "koval", "eksample", "kom"]
    assert key("50%_\\") == "50   "


@given(st.one_of(st.text(LETTERS), st.text()))
def test_a_keys_key_is_itself(text: str) -> None:
    assert key(key(text)) == key(text)


@given(st.lists(st.text(LETTERS, min_size=1), min_size=1, max_size=4))
def test_each_word_has_its_own_key(parts: list[str]) -> None:
    """So the words of a search are those of what is stored."""
    words = " ".join(parts).split()
    assert key(" ".join(words)).split() == " ".join(key(word) for word in words).split()
