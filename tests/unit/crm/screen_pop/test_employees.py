"""Whom a telephone system means: exact marks before names, and all of those that a name fits."""

import pytest

from crm.screen_pop.employees import Employee, Salespeople, is_among

TARAS = Employee("taras", "Taras Bulba", "taras@shop.ua", "+380671112233", "101")
IRYNA = Employee("iryna@shop.ua", "Iryna", "", "", "102")
NAMESAKE = Employee("iryna-2", "Iryna", "", "", "103")
TABLE = Employee("table", "101", "", "", "104")
ALL = Salespeople((TARAS, IRYNA, NAMESAKE, TABLE))


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("taras", (TARAS,)),
        (" TARAS@Shop.ua ", (TARAS,)),
        ("101", (TARAS,)),  # nobody who is called so
        ("380671112233", (TARAS,)),
        ("00 380 67 111 22 33", (TARAS,)),
        ("Iryna", (NAMESAKE, IRYNA)),
        ("iryna@shop.ua", (IRYNA,)),
        ("671112233", ()),
        ("", ()),
        ("999", ()),
    ],
)
def test_a_text_names_salespeople(said: str, found: tuple[Employee, ...]) -> None:
    assert ALL.named(said) == found


@pytest.mark.parametrize(
    ("wanted", "said", "same"),
    [
        (("taras",), "101", True),
        (("101",), "taras@shop.ua", True),
        (("102",), "101", False),
        (("102", "101"), "101", True),
        (("205",), "205", True),  # nobody was declared
        (("iryna",), "103", True),  # a name fits two: both are shown
        (("iryna",), "102", True),
        (("taras",), "", False),
    ],
)
def test_a_screen_is_for_whom_it_names(wanted: tuple[str, ...], said: str, same: bool) -> None:
    assert is_among(wanted, said, ALL) is same
