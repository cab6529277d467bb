"""Which names can be one person's: scripts, order, initials, short forms, slips; and which cannot."""

import pytest
from hypothesis import example
from hypothesis import given as for_any
from hypothesis import strategies as st

from crm.text.names import agree, same

ONE = [
    ("Олена Коваль", "Olena Koval"),
    ("Олена Коваль", "Коваль Олена"),
    ("Олена Коваль", "Коваль О.І."),
    ("Олена Іванівна Коваль", "Олена Коваль"),
    ("ФОП Коваль О.В.", "Олена Коваль"),
    ("Саша", "Олександр Коваль"),
    ("Саша", "Олександра Бик"),
    ("Мар'яна Дуб", "Марьяна Дуб"),
    ("Наталія Заєць", "Наташа Заяц"),
    ("Сергій Ткаченко", "Serhiy Tkachenko"),
    ("Катерина", "Катя"),
    ("Олена Коваль", "Олена"),
    ("Олена Коваль", "Коваль"),
    ("Олена Коваль", "Олена Ковль"),
    ("Олена Коваль", "Олена Ткач"),
    ("Олена Коваль-Ткач", "Олена Коваль"),
    ("Коваль Олена Петрівна", "Коваль Елена Петровна"),
    ("Коваль Іван Миколайович", "Иван Николаевич Коваль"),
    ("Коваль Іван Олексійович", "Коваль І.О."),
    ("Коваль Ольга Львівна", "Коваль Ольга Левівна"),
    ("Коваль І.М.", "Иван Николаевич Коваль"),
]
TWO = [
    ("Роман Гай", "Романа Гай"),
    ("Mario Rossi", "Maria Rossi"),
    ("Daniel Fox", "Danielle Fox"),
    ("Петро Заєць", "Наталка Заєць"),
    ("Іван Мельник", "Іванна Мельник"),
    ("Віктор Лис", "Вікторія Лис"),
    ("Олександра Бик", "Олександр Бик"),
    ("Іван Гук", "Марія Лис"),
    ("Петро", "Наталка"),
    ("ТОВ Ромашка", "Олена Дуб"),
    ("О. Коваль", "Петро Коваль"),
    ("О. К.", "Петро Дуб"),
    ("Даша", "Маша"),
    ("Менеджер Олег", "Менеджер Ірина"),
    ("Коваль Іван Петрович", "Коваль Іван Іванович"),
    ("Коваль Олена Петрівна", "Олена Іванівна Коваль"),
    ("Коваль О.П.", "Коваль О.І."),
    ("Коваль Олена Петрівна", "Коваль О.І."),
    ("Ігор Коваль", "Єгор Коваль"),
    ("І. Коваль", "Олена Коваль"),
    ("Данило Коваль", "Манило Коваль"),
]
NOTHING = [("", "Олена"), ("-", "Олена"), ("0671234567", "Олена"), ("О. К.", "Олена Коваль"), ("пані", "Олена")]


@pytest.mark.parametrize(("one", "two"), ONE)
def test_it_can_be_one_person(one: str, two: str) -> None:
    assert agree(one, two) is agree(two, one) is True


@pytest.mark.parametrize(("one", "two"), TWO)
def test_it_is_somebody_else(one: str, two: str) -> None:
    assert agree(one, two) is agree(two, one) is False


@pytest.mark.parametrize(("one", "two"), NOTHING)
def test_it_says_nothing(one: str, two: str) -> None:
    assert agree(one, two) is agree(two, one) is None


def test_the_same_is_a_whole_name_letter_by_letter() -> None:
    assert same("Олена Коваль", "Koval Olena")
    assert same("Олександр Гак", "Саша Гак")
    for other in ("Олена", "О. Коваль", "Олена Ковль", "Олена Коваль-Ткач", ""):
        assert not same("Олена Коваль", other)


NAMES = st.lists(st.sampled_from("Олена Olena Олег Коваль Koval О К Саша Бик Іванівна ФОП Ковль".split()), max_size=4)  # noqa: SIM905


@for_any(NAMES, NAMES)
@example("Олена Олена Олена О".split(), "Олена Олена О Саша".split())  # noqa: SIM905  # once each way gave another answer
def test_which_name_comes_first_does_not_matter(one: list[str], two: list[str]) -> None:
    first, second = " ".join(one), " ".join(two)
    assert agree(first, second) is agree(second, first)
    assert same(first, second) == same(second, first)
    assert not same(first, second) or agree(first, second)


FATHERS = ["Іванович", "Петрович", "Миколайович", "Олексійович", "Сергійович", "Васильович", "Андрійович"]


@for_any(st.sampled_from(FATHERS), st.sampled_from(FATHERS))
def test_two_fathers_are_two_people(one: str, two: str) -> None:
    """The bug: father and son with one mailbox were one card, because patronymics were left out."""
    assert agree(f"Коваль Іван {one}", f"Іван {two} Коваль") is (one == two)
