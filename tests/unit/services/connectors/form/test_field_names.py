"""What the name of a field asks for, and about whom."""

import pytest

from services.connectors.submissions.field_roles import NEAR, PLAIN, RECIPIENT, SENDER, STRANGER, WEAK, meaning_of


@pytest.mark.parametrize(
    ("name", "role", "weight", "whose"),
    [
        ("Ваше ім'я", "name", PLAIN, SENDER),
        ("imie_nazwisko", "name", PLAIN, SENDER),
        ("mf-first-name", "first", PLAIN, SENDER),
        ("Ім'я учасника", "name", PLAIN, SENDER),
        ("Ім'я (як у паспорті)", "", 0, STRANGER),
        ("Ім'я та по батькові", "name", WEAK, SENDER),
        ("Ім'я менеджера", "name", PLAIN, STRANGER),
        ("Ім'я дитини", "name", PLAIN, NEAR),
        ("delivery_fio", "name", PLAIN, RECIPIENT),
        ("product_name", "", 0, STRANGER),
        ("pet_name", "", 0, STRANGER),
        ("Номер телефону", "phone", PLAIN, SENDER),
        ("Додатковий телефон", "phone", PLAIN, SENDER),
        ("Номер для зв'язку", "phone", PLAIN, SENDER),
        ("nomer", "number", WEAK, SENDER),
        ("Номер замовлення", "reference", PLAIN, SENDER),
        ("Номер картки", "", 0, SENDER),
        ("manager_phone", "phone", PLAIN, STRANGER),
        ("Телефон компанії", "phone", PLAIN, NEAR),
        ("Як з вами зв'язатися?", "reach", WEAK, SENDER),
        ("Нова пошта", "", 0, SENDER),
        ("Адреса електронної пошти", "email", PLAIN, SENDER),
        ("Сума, грн", "sum", PLAIN, SENDER),
        ("Сума кредиту", "", 0, SENDER),
        ("Бюджет", "", 0, SENDER),
        ("utm_term", "utm.term", PLAIN, SENDER),
        ("phone_consent", "", 0, SENDER),
        ("entry_id", "submission", PLAIN, SENDER),
        ("country_code", "calling_code", PLAIN, SENDER),
    ],
)
def test_a_name_asks(name: str, role: str, weight: int, whose: int) -> None:
    meaning = meaning_of((name,))
    assert (meaning.role, meaning.weight, meaning.whose) == (role, weight, whose)


@pytest.mark.parametrize(
    "name",
    [
        *("g-recaptcha-response", "csrf_token", "_wpnonce", "timestamp", "submitted_at", "time_on_page"),
        *("session_id", "fbp", "user_agent", "attempt", "delivered_at", "date_modified"),
        *("gbraid", "utm_source", "remote_ip", "trace_id"),
    ],
)
def test_what_is_another_each_time_takes_no_part_in_comparing(name: str) -> None:
    assert meaning_of((name,)).volatile


@pytest.mark.parametrize(
    "name", ["date", "visit", "date_visit", "start_time", "duration", "session", "job_id", "product_id", "status"]
)
def test_what_somebody_may_choose_is_compared(name: str) -> None:
    assert not meaning_of((name,)).volatile


@pytest.mark.parametrize(
    ("path", "whose"),
    [
        (("billing",), SENDER),
        (("data", "contact"), SENDER),
        (("contacts", "0"), SENDER),
        (("contacts", "1"), NEAR),
        (("shipping",), RECIPIENT),
        (("manager",), STRANGER),
        (("line_items", "0"), STRANGER),
    ],
)
def test_a_place_says_about_whom(path: tuple[str, ...], whose: int) -> None:
    assert meaning_of(("name",), path).whose == whose


def test_a_title_says_what_an_id_does_not() -> None:
    assert meaning_of(("field_7c1a2", "Телефон")).role == "phone"
    assert meaning_of(("name", "Ім'я менеджера")).whose == STRANGER
    assert meaning_of(("field_1", "Що скажете?"), (), "tel").role == "phone"
