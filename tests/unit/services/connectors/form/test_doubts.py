"""What a form gives and cannot be read with certainty stays text and is said; it costs nobody a deal or an owner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crm.facts import FormSubmitted
from services.connectors.submissions.field_roles import meaning_of
from tests.support.connector_deliveries import connection, only
from tests.support.rehearse import form

SITE = connection("form")
WHO = {"name": "Дарина", "phone": "0671234568"}


@pytest.mark.parametrize(
    ("sent", "doubt"),
    [
        (
            {"payment[amount]": "1,500"},
            "The sum '1,500' cannot be read as one certain sum, so the deal has none: it is kept as text among the "
            "fields.",
        ),
        (
            {"payment[amount]": "-500"},
            "The sum '-500' is less than nothing, so the deal has none: it is kept as text among the fields.",
        ),
        (
            {"payment[amount]": "1250", "currency": "XX"},
            "The sum '1250' is in a currency that is not known ('XX'), so the deal has none: it is kept as text among "
            "the fields.",
        ),
        (
            {"payment[amount]": "1250 USD", "currency": "UAH"},
            "The sum '1250 USD' is not in the currency that the form names ('UAH'), so the deal has none: it is kept "
            "as text among the fields.",
        ),
        (
            {"email": "olena koval@kovalenko.ua"},
            "The e-mail 'olena koval@kovalenko.ua' could not be read as one address. Ask for it again.",
        ),
    ],
)
def test_one_bad_value_never_decides_for_the_whole_form(sent: dict[str, str], doubt: str) -> None:
    """Such a form went to quarantine whole, and nobody called the person back."""
    fact = only(SITE, form(WHO | sent))
    assert isinstance(fact, FormSubmitted)
    assert (fact.name, [phone.e164 for phone in fact.phones], fact.amount_minor) == ("Дарина", ["+380671234568"], None)
    assert (fact.doubts, fact.suspicious) == ((doubt,), "")
    assert next(iter(sent.values())) in " ".join(fact.fields.values())


def test_a_number_in_a_message_is_offered_and_not_taken() -> None:
    fact = only(SITE, form({"name": "Ян", "message": "мій номер 067 123-45-68"}))
    assert [(phone.text, phone.e164) for phone in fact.phones] == [("067 123-45-68", "")]
    assert fact.doubts == (
        "The number '067 123-45-68' stands in 'message'. If it is the sender's, add it to the card.",
    )


def test_a_number_that_was_given_makes_the_others_nobodys_business() -> None:
    fact = only(SITE, form(WHO | {"message": "мій брат 0501112239"}))
    assert [phone.e164 for phone in fact.phones] == ["+380671234568"]
    assert fact.doubts == ()


OF_NAMES = ("name", "first", "middle", "last")
NAMES = st.text(max_size=20) | st.sampled_from(
    ["name", "phone", "email", "Сума", "currency", "total", "number", "contact", "message", "hp", "Телефон отримувача"]
)


@given(st.dictionaries(NAMES, st.text(max_size=40), max_size=8))
def test_whatever_else_is_in_a_form_its_sender_is_read(fields: dict[str, str]) -> None:
    """Nothing that stands next to a name and a phone can cost them; another name would be one."""
    others = [name for name in fields if not {"[", "\0"} & {*name} and meaning_of((name,)).role not in OF_NAMES]
    clean = {name: fields[name].replace("\0", "") for name in others}
    fact = only(SITE, form(clean | {"event": "lead", "name": "Дарина", "phone": "0671234568"}))
    assert isinstance(fact, FormSubmitted)
    assert fact.name.startswith("Дарина")
    assert "+380671234568" in [phone.e164 for phone in fact.phones]
