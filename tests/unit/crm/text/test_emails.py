"""An address is read where it is certain, in one form."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crm.text.emails import emails_in

OLENA = "olena@example.com"


@pytest.mark.parametrize(
    "text",
    [
        "olena@example.com",
        "  Olena@Example.COM ",
        "olena@example.com.",
        "olena@example.com,",
        "olena@example.com\u200b",
        "\ufeffolena@exam\u00adple.com",
        "olena＠example.com",
        "<olena@example.com>",
        "Олена Дідух <olena@example.com>",
        '"Koval, Olena" <olena@example.com>',
        "olena@example.com <Olena@example.com>",
        '"olena@example.com"',
        "'olena@example.com'",
        "olena@example.com (робочий)",
        "olena@example.com (work)",
        "olena@example.com - work",
        "olena@example.com робочий",
        "Олена olena@example.com",
        "e-mail: olena@example.com",
        "Пошта: olena@example.com",
        "mailto:olena@example.com",
        "mailto:olena@example.com?subject=Hi",
        "olena@example.com, olena@example.com",
        "olena@example.com\n",
    ],
)
def test_one_address_however_it_is_written(text: str) -> None:
    assert emails_in(text) == [OLENA]


@pytest.mark.parametrize(
    "text",
    [
        "olena@example.com, koval@work.example",
        "olena@example.com;koval@work.example",
        "olena@example.com koval@work.example",
        "olena@example.com\nkoval@work.example",
        "olena@example.com/koval@work.example",
        "olena@example.com або koval@work.example",
        "Олена <olena@example.com>, Коваль <koval@work.example>",
    ],
)
def test_several_addresses(text: str) -> None:
    assert emails_in(text) == [OLENA, "koval@work.example"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "немає",
        "@",
        "@olena",
        "olena@",
        "olena@example",
        "olena@localhost",
        "olena@127.0.0.1",
        "olena@@example.com",
        "olena@example.com@example.com",
        "olena@example..com",
        "olena..koval@example.com",
        ".olena@example.com",
        "olena@-example.com",
        "olena@example.c",
        "olena@example.123",
        "olena@exa mple.com",
        "olena @example.com",
        "https://olena@example.com/",
        "olena@example.co\ufffd",
        "x" * 65 + "@example.com",
        "a@" + "x" * 300 + ".com",
    ],
)
def test_no_address(text: str) -> None:
    assert emails_in(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "olena koval@example.com",
        "shop xyz@example.com",
        "olena@example com",
        "olena@example.com ua",
        "olena,koval@example.com",
        "olena@mail.example,com",
        "olena@example,com",
        "olena@example.com, com",
    ],
)
def test_what_may_be_the_half_of_an_address_is_none(text: str) -> None:
    """The bug: "olena koval@example.com" was koval@example.com, who is somebody else."""
    assert emails_in(text) == []


@pytest.mark.parametrize("text", ["a+b@example.com", "o'brien@example.com", "x_1-2.y%z@mail.example.co.uk"])
def test_all_signs_of_an_address_belong_to_it(text: str) -> None:
    assert emails_in(text) == [text]


def test_a_domain_in_other_letters_has_one_form() -> None:
    for text in ("yasia@приклад.укр", "yasia@xn--80aikifvh.xn--j1amh", "Yasia@ПРИКЛАД.УКР", "yasia@приклад.укр."):
        assert emails_in(text) == ["yasia@приклад.укр"]
    assert emails_in("олена@приклад.укр") == ["олена@приклад.укр"]
    assert emails_in("info@müller.de") == emails_in("info@xn--mller-kva.de") == ["info@müller.de"]


@pytest.mark.parametrize("text", ["оlena@example.com", "olena@exаmple.com", "олена@example.com", "olena@example.сom"])
def test_a_letter_of_another_script_makes_an_address_doubtful(text: str) -> None:
    assert emails_in(text) == []


@settings(deadline=None)
@given(st.text() | st.text(alphabet='ab.@,;<>()" -їо\u200b', max_size=40))
def test_any_text_holds_addresses_that_read_as_themselves(text: str) -> None:
    for address in emails_in(text):
        assert emails_in(address) == [address]
        assert address == address.lower()
