"""Given a POST as a browser or a builder sends it, then the form that was meant."""

import hashlib
import json
from urllib.parse import quote_plus

import pytest

from crm.errors import Refused
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from crm.shared import Attachment
from services.connectors.formats.bodies import URLENCODED
from tests.support.connector_deliveries import NOW, connection, json_post, only, receive
from tests.support.rehearse import Post, form

SITE = connection("form")


def cp1251(**fields: str) -> bytes:
    return "&".join(f"{name}={quote_plus(value, encoding='cp1251')}" for name, value in fields.items()).encode()


def multipart(*parts: tuple[str, bytes]) -> Post:
    body = b"".join(b"--BOUND\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (h.encode(), c) for h, c in parts)
    return {"content-type": "multipart/form-data; boundary=BOUND"}, body + b"--BOUND--\r\n"


def test_a_landing_page_form_in_ukrainian() -> None:
    fact = only(
        SITE,
        form(
            {
                "Ваше ім'я": "Олена Коваль",
                "Номер телефону": "(067) 123-45-67",
                "Ел. пошта": "Olena@Example.COM",
                "Місто": "Львів",
                "utm_source": "facebook",
                "utm_campaign": "осінь",
                "gclid": "Cj0K",
                "page_url": "https://a.example/?utm_medium=cpc",
            }
        ),
    )
    assert isinstance(fact, FormSubmitted)
    assert (fact.name, fact.emails, fact.page) == (
        "Олена Коваль",
        ("olena@example.com",),
        "https://a.example/?utm_medium=cpc",
    )
    assert [(phone.text, phone.e164) for phone in fact.phones] == [("(067) 123-45-67", "+380671234567")]
    assert fact.utm == {"source": "facebook", "campaign": "осінь", "gclid": "Cj0K", "medium": "cpc"}
    assert fact.fields == {"Місто": '"Львів"'}
    assert (fact.meta.occurred_at, fact.suspicious) == (NOW, "")


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"first_name": "Ян", "last_name": "Лис"}, "Ян Лис"),
        ({"Прізвище": "Лис", "Ім'я": "Ян", "По батькові": "Петрович"}, "Ян Петрович Лис"),
        ({"ПІБ": "Лис Ян"}, "Лис Ян"),
        ({"П.І.Б.": "Лис Ян"}, "Лис Ян"),
        ({"fullName": "Ян Лис", "lastName": "Лис"}, "Ян Лис"),
        ({"Як вас звати?": "Ян"}, "Ян"),
        ({"your-name": "Ян"}, "Ян"),
        ({"customer[name]": "Ян"}, "Ян"),
        ({"product_name": "Диван", "company": "ТОВ", "formname": "Cart"}, ""),
        ({"products[0][name]": "Диван"}, ""),
    ],
)
def test_a_name_is_known_by_its_field(fields: dict[str, str], name: str) -> None:
    assert only(SITE, form(fields | {"tel": "0671234567"})).name == name


@pytest.mark.parametrize(
    ("field", "value", "phones"),
    [
        ("tel-123", "0671234567", ["+380671234567"]),
        ("Телефон", "067 123 45 67, 050 987 65 43", ["+380671234567", "+380509876543"]),
        ("userPhone", "+48 501 234 568", ["+48501234568"]),
        ("phone_consent", "yes", []),
        ("comment", "+380671234567", ["+380671234567"]),  # can be nothing else
        ("order", "0671234567", []),  # may be anything
    ],
)
def test_a_phone_is_known_by_its_field_or_beyond_doubt(field: str, value: str, phones: list[str]) -> None:
    assert [phone.e164 for phone in only(SITE, form({field: value, "name": "Ян"})).phones] == phones


def test_nova_poshta_is_no_mail() -> None:
    fact = only(SITE, form({"Нова пошта": "Відділення 5", "пошта": "a@b.ua"}))
    assert (fact.emails, fact.fields) == (("a@b.ua",), {"Нова пошта": '"Відділення 5"'})


@pytest.mark.parametrize("content_type", [URLENCODED, URLENCODED + "; charset=windows-1251", ""])
def test_an_old_site_sends_cp1251(content_type: str) -> None:
    fact = only(SITE, ({"content-type": content_type}, cp1251(name="Їжак", phone="0671234567")))
    assert (fact.name, fact.phones[0].e164) == ("Їжак", "+380671234567")


def test_types_in_json_survive_to_the_last_digit() -> None:
    body = '{"name":"Ян","price":54.10,"id":12345678901234567890,"agreed":true,"none":null,"tags":["a","б"]'
    body += ',"at":{"lat":50.450100}}'
    assert only(SITE, json_post(body.encode())).fields == {
        "price": "54.10",
        "id": "12345678901234567890",
        "agreed": "true",
        "none": "null",
        "tags": '["a","б"]',
        "at.lat": "50.450100",
    }


def test_json_under_the_content_type_of_forms() -> None:
    assert only(SITE, ({"content-type": URLENCODED}, b'{"name":"\xd0\xaf\xd0\xbd"}')).name == "Ян"


def test_repeated_keys_and_brackets_are_lists() -> None:
    post = {"content-type": URLENCODED}, b"name=Jan&a=1&a=2&b[]=3&c[x][y]=4&c[x][z]=5&d=6&d[e]=7"
    assert only(SITE, post).fields == {
        "a": '["1","2"]',
        "b": '["3"]',
        "c.x.y": '"4"',
        "c.x.z": '"5"',
        "d": '"6"',
        "d[e]": '"7"',
    }


def test_json_inside_a_field_is_opened_and_what_only_looks_like_it_is_not() -> None:
    fact = only(SITE, form({"payment": '{"orderid":"77","amount":"1 250,50"}', "comment": "{всім привіт}"}))
    assert (fact.amount_minor, fact.currency, fact.reference) == (125_050, "UAH", "77")
    assert fact.fields["comment"] == '"{всім привіт}"'


def test_files_stay_in_the_raw_bytes_and_are_named() -> None:
    photo = b"\x89PNG\x00\r\n\x00"
    fact = only(SITE, multipart(('name="name"', "Ян".encode()), ('name="звіт"; filename="фото 1.png"', photo)))
    digest = "sha256:" + hashlib.sha256(photo).hexdigest()
    assert fact.files == (Attachment("file", "фото 1.png", "", len(photo), digest),)
    assert (fact.name, fact.fields) == ("Ян", {"звіт": '"фото 1.png"'})
    assert photo in fact.raw.body


def test_a_filled_honeypot_marks_but_does_not_reject() -> None:
    fact = only(SITE, form({"name": "Bot", "hp": "http://spam.example"}))
    assert (fact.name, fact.suspicious) == ("Bot", "The field 'hp', which people do not see, was filled in.")
    assert only(SITE, form({"name": "Ян", "hp": ""})).suspicious == ""
    own = connection("form", honeypot="fax, trap")
    assert (
        only(own, form({"name": "Ян", "trap": "1"})).suspicious
        == "The field 'trap', which people do not see, was filled in."
    )


def test_the_same_form_within_ten_minutes_is_one_and_later_another() -> None:
    minute = 60_000_000
    first = only(SITE, form({"name": "Ян", "phone": "0671234567"}))
    second = only(SITE, form({"phone": "0671234567", "name": "Ян"}), NOW + minute)
    later = only(SITE, form({"name": "Ян", "phone": "0671234567"}), NOW + 20 * minute)
    assert first.meta.id == second.meta.id != later.meta.id
    assert first.meta.stream == later.meta.stream  # the same phone


def test_a_builders_own_id_makes_it_the_same_for_ever() -> None:
    once, again = ({"tranid": "1:2", "name": name} for name in ("Ян", "Яна"))
    assert only(SITE, form(once)).meta.id == only(SITE, form(again), NOW * 2).meta.id


def test_what_is_above_500_fields_is_quarantined_with_its_reason() -> None:
    submitted, rest = receive(SITE, form({"name": "Ян"} | {f"f{i}": str(i) for i in range(9_999)}))
    assert isinstance(submitted, FormSubmitted)
    assert list(submitted.fields) == [f"f{i}" for i in range(500)]
    assert isinstance(rest, DeliveryQuarantined)
    assert rest.reason == "The form has 9499 fields above the 500 that were kept; all are in its raw bytes."


def test_tildas_question_whether_somebody_listens_is_no_lead() -> None:
    fact = only(SITE, form({"test": "test"}))
    assert isinstance(fact, DeliveryKept)
    assert fact.kind == "tilda test"


def test_google_forms_by_apps_script() -> None:
    answers = {"namedValues": {"Телефон": ["067 123 45 67"], "Ваше ім'я": ["Ян"], "Теми": ["а", "б"]}, "values": ["x"]}
    fact = only(SITE, json_post(json.dumps(answers).encode()))
    assert (fact.name, fact.phones[0].e164, fact.fields) == ("Ян", "+380671234567", {"Теми": '["а","б"]'})


@pytest.mark.parametrize("headers", [{"x-form-token": "T"}, {"authorization": "Bearer T"}])
def test_a_token_in_a_header(headers: dict[str, str]) -> None:
    guarded = connection("form", token="T")
    kind, body = form({"name": "Ян"})
    assert only(guarded, (kind | headers, body)).name == "Ян"
    with pytest.raises(Refused, match="token does not match"):
        receive(guarded, (kind, body))


def test_a_signature_that_nobody_knows_is_refused() -> None:
    with pytest.raises(Refused, match=r"'signed' of this connection cannot be used: Invalid enum value 'acme'\."):
        receive(connection("form", signed="acme"), form({"name": "Ян"}))
