"""Which column is what: by headers and values, in Ukrainian and English, and as a person says it."""

import asyncio
from pathlib import Path

import pytest
from msgspec.structs import replace
from obstore.store import MemoryStore

from crm.adapters.import_store import ImportStore
from crm.events import (
    ContactChanged,
    ContactCreated,
    ContactRenamed,
    DealOpened,
    ObjectChanged,
    ObjectTypeDefined,
)
from crm.facts import DealReported
from crm.imports import Options
from crm.scalars import Id
from crm.state import Contact
from services.imports.importing import explained
from services.imports.known_headers import system_of, target_of
from services.imports.mapping import decimal_mark, digest, month_first, propose
from services.imports.outcome import outcome_of
from services.imports.table import NoTable
from tests.support.imports import Crm, described, facts, opened, reasons
from tests.support.needs import needs_samples
from tests.support.scenarios import NOON, SHOP
from tests.support.vendor_samples import FOLDER as PAYLOADS

MINUTE = 60_000_000


@pytest.mark.parametrize(
    ("headers", "target"),
    [
        ("Record ID|ID|Код|Ідентифікатор", "key"),
        ("Full Name|ПІБ|П.І.Б.|Ім'я та прізвище|Ім’я та прізвище|Клієнт|ФИО|Person - Name", "name"),
        ("First Name|Given Name|Ім'я|ІМ’Я|Имя", "first_name"),
        ("E-mail|Email Address|Ел. пошта|E-mail 2 - Value|Person - Email - Work|Робочий e-mail|Email 2", "emails"),
        ("Phone Number|Телефон|Телефон 2|Моб. телефон|Моб. тел.|Phone 1 - Value|Person - Phone - Mobile", "phones"),
        ("Deal - Title|Назва угоди|Название сделки|Deal Name", "title"),
        ("Deal - Value|Сума|Сума угоди|Amount", "amount"),
        ("Create Date|Дата створення|Deal - Deal created|Created at", "created_at"),
        ("Phone 1 - Label|E-mail 1 - Type|reason", ""),
        ("Улюблений колір|Organization - Name", None),
    ],
)
def test_headers_mean_what_people_and_programs_write(headers: str, target: str | None) -> None:
    assert {header: target_of(header) for header in headers.split("|")} == dict.fromkeys(headers.split("|"), target)


def test_the_system_is_that_of_an_export() -> None:
    assert system_of(("Record ID", "First Name")) == "hubspot"
    assert system_of(("Person - ID", "Person - Name")) == "pipedrive"
    assert system_of(("ID", "Ім'я", "Тип контакту", "Відповідальний")) == "bitrix24"
    assert system_of(("Name", "Group Membership")) == "google"
    assert system_of(("ПІБ", "Телефон")) == "file"


def test_values_say_what_an_unknown_header_does_not(tmp_path: Path) -> None:
    text = "Хто;Куди дзвонити;Куди писати\nАнна;067 123 45 67;a@example.com\nБогдан;050 765 43 21;b@example.com\n"
    assert described(opened(tmp_path, text)).columns == {
        "Хто": "fields.Хто",
        "Куди дзвонити": "phones",
        "Куди писати": "emails",
    }


def test_a_person_decides(tmp_path: Path) -> None:
    text = "Хто;Телефон;Місто\nАнна;067 123 45 67;Львів\n"
    said = {"Хто": "name", "Телефон": "", "Місто": "fields.city"}
    (fact,) = facts(opened(tmp_path, text, columns=said, system="crm1"))
    assert (fact.system, fact.name, fact.phones, fact.fields) == ("crm1", "Анна", (), {"city": '"Львів"'})
    for wrong, why in [({"Хто?": "name"}, "There is no column 'Хто\\?'"), ({"Хто": "nome"}, "A contact has no 'nome'")]:
        with pytest.raises(NoTable, match=why):
            opened(tmp_path, text, columns=wrong)


def test_another_mapping_is_another_fact_and_the_same_one_the_same(tmp_path: Path) -> None:
    text = "Name,City\nAnn,Kyiv\n"
    ids = [facts(opened(tmp_path, text, columns=said))[0].meta.id for said in ({}, {}, {"City": ""})]
    assert ids[0] == ids[1] != ids[2]
    mapping = propose(("Name",), [])
    assert digest(mapping) == digest(replace(mapping)) != digest(replace(mapping, system="x"))


def test_dates_with_slashes_begin_with_what_some_of_them_show() -> None:
    assert month_first(["03/04/2026", "3/15/2024 2:30 PM"]) is True
    assert month_first(["03/04/2026", "15/3/2024"]) is False
    assert month_first(["03/04/2026"]) is False


def test_the_decimal_mark_is_what_some_sums_show() -> None:
    assert decimal_mark(["1,234", "12,50"]) == ","
    assert decimal_mark(["1,234", "1,234.50"]) == "."
    assert decimal_mark(["1,234"]) == decimal_mark(["1,5", "1.5"]) == ""


def test_deals_have_exact_sums_and_their_people(tmp_path: Path) -> None:
    text = (
        "ID;Назва угоди;Сума;Валюта;Клієнт;Телефон;Відповідальний;Стадія\n"
        "7;Диван;1 250,50;грн;Олена Коваль;0671234567;anna@example.com;new\n"
        "8;Стіл;1,5;;Іван;0501112233;;\n"
        "9;Шафа;не знаю;;Петро;;;\n"
        "10;Лампа;100 USD;UAH;Марія;;;\n"
    )
    reading = opened(tmp_path, text)
    first, second = facts(reading)
    assert isinstance(first, DealReported) and isinstance(second, DealReported)
    assert (first.key, first.title, first.amount_minor, first.currency) == ("7", "Диван", 125_050, "UAH")
    assert (first.name, first.owner, first.stage) == ("Олена Коваль", "anna@example.com", "new")
    assert second.amount_minor == 150
    assert reasons(reading) == {
        4: "In 'Сума': 'не знаю' is no sum that can be read in one way only.",
        5: "In 'Сума': '100 USD' is in USD, and its currency column says 'UAH'.",
    }


def test_an_ambiguous_sum_is_read_as_the_others_are(tmp_path: Path) -> None:
    text = 'Deal name,Amount\nSofa,"1,234"\n{}'
    assert reasons(opened(tmp_path, text.format(""))) == {
        2: "In 'Amount': '1,234' is no sum that can be read in one way only."
    }
    deals = facts(opened(tmp_path, text.format('Chair,"1,234.50"\n')))
    assert [deal.amount_minor for deal in deals if isinstance(deal, DealReported)] == [123_400, 123_450]


def test_two_people_with_one_telephone_are_two_and_one_person_twice_is_one(tmp_path: Path) -> None:
    text = "Name,Phone\nОлена Коваль,0671234567\nІван Франко,0671234567\nКоваль Олена,+380671234567\n"
    crm = Crm()
    assert crm.run(opened(tmp_path, text)) == ["create", "create", "unchanged"]
    assert len(crm.events(ContactCreated)) == 2


def test_two_equal_deals_without_keys_are_two_and_stay_two(tmp_path: Path) -> None:
    text = "Deal name,Amount,Client\nSofa,100,Ann\nSofa,100,Ann\n"
    crm = Crm()
    assert crm.run(opened(tmp_path, text)) == ["create", "create"]
    assert crm.run(opened(tmp_path, text + "Chair,5,Bob\n", at=NOON + MINUTE)) == ["unchanged", "unchanged", "create"]
    assert len(crm.events(DealOpened)) == 3


def test_objects_of_the_workspaces_own_are_imported_by_their_key(tmp_path: Path) -> None:
    crm = Crm()
    reading = opened(tmp_path, "key,title,price\nSKU-1,Vase,499.90\n,Cup,1\n", record="product")
    (fact,) = facts(reading)
    assert (fact.object, fact.key, fact.title, fact.fields) == ("product", "SKU-1", "Vase", {"price": '"499.90"'})
    assert reasons(reading) == {3: "It has no key, by which the object is known."}
    assert crm.run(reading) == ["error"]  # no such type: it waits in quarantine
    assert not crm.events(ObjectChanged) and not crm.events(ObjectTypeDefined)


@needs_samples
def test_exports_are_read_as_they_are(tmp_path: Path) -> None:
    hubspot = opened(tmp_path, (PAYLOADS / "csv" / "hubspot_contacts.csv").read_bytes())
    assert [(fact.key, fact.name) for fact in facts(hubspot)] == [
        ("101", "Camille Durand"),
        ("102", "John Smith"),
        ("104", "Camille Durand"),
    ]
    google = opened(tmp_path, (PAYLOADS / "csv" / "google_contacts_old_header.csv").read_bytes())
    (ivan,) = facts(google)
    assert (ivan.name, ivan.emails) == ("Іван Петренко", ("ivan@example.com", "ivan2@example.com"))
    assert [phone.e164 for phone in ivan.phones] == ["+380670000001", "+380500000002"]
    (grace,) = facts(opened(tmp_path, (PAYLOADS / "csv" / "google_contacts_2024.csv").read_bytes()))
    assert (grace.name, grace.emails) == ("Grace Brewster Hopper", ("grace@navy.example", "grace@example.com"))
    (uspacy,) = facts(opened(tmp_path, (PAYLOADS / "csv" / "uspacy_import.csv").read_bytes()))
    assert (uspacy.key, uspacy.fields) == ("0001", {"oblast": '"Вінницька"', "region": '"Центр"'})
    crm = Crm()
    assert crm.run(google) == ["create"] and crm.run(hubspot) == ["create", "create", "create"]
    known_by = [one for event in crm.events(ContactCreated) for one in event.identifiers]
    assert {one.value for one in known_by if one.kind == "hubspot"} == {"101", "102", "104"}


def test_what_happens_to_a_card_that_is_there(tmp_path: Path) -> None:
    first = "ID,Name,Phone,City,Note\n1,Ann,0671234567,Kyiv,\n2,,0501112233,,\n"
    later = "ID,Name,Phone,City,Note\n1,Anna,0671234567,Lviv,new\n2,Bob,0501112233,Lviv,\n3,Eve,0931112233,Lviv,\n"
    outcomes = {}
    for existing in ("update", "fill", "skip"):
        crm = Crm()
        crm.run(opened(tmp_path, first))
        outcomes[existing] = (
            crm.run(opened(tmp_path, later, existing=existing, at=NOON + MINUTE)),
            [
                (event.name if isinstance(event, ContactRenamed) else event.fields)
                for event in crm.decide.journal
                if isinstance(event, ContactRenamed | ContactChanged | ContactCreated) and event.meta.occurred_at > NOON
            ],
        )
    assert outcomes == {
        "update": (
            ["update", "update", "create"],
            ["Anna", {"City": '"Lviv"', "Note": '"new"'}, "Bob", {"City": '"Lviv"'}, {"City": '"Lviv"'}],
        ),
        "fill": (["update", "update", "create"], [{"Note": '"new"'}, "Bob", {"City": '"Lviv"'}, {"City": '"Lviv"'}]),
        "skip": (["skip", "skip", "create"], [{"City": '"Lviv"'}]),
    }
    with pytest.raises(NoTable, match=r"deal that is there already: update, skip, not 'fill'"):
        opened(tmp_path, first, record="deal", existing="fill")


def test_a_deal_that_is_there_can_be_left_as_it_is(tmp_path: Path) -> None:
    crm, text = Crm(), "ID,Deal name,Amount\n1,Sofa,{}\n"
    assert crm.run(opened(tmp_path, text.format(100), existing="skip")) == ["create"]
    assert crm.run(opened(tmp_path, text.format(200), existing="skip", at=NOON + MINUTE)) == ["skip"]
    assert crm.run(opened(tmp_path, text.format(200), at=NOON + MINUTE)) == ["update"]


def test_what_was_said_of_such_a_file_before_holds(tmp_path: Path) -> None:
    text = "Хто;Куди\nАнна;Львів\n"
    before = Options(columns={"Хто": "name"}, system="crm1")
    reading = opened(tmp_path, text, before=before)
    assert (described(reading).columns, reading.mapping.system) == ({"Хто": "name", "Куди": "fields.Куди"}, "crm1")
    assert described(reading).notes == ["The columns are those that were said of such a file before."]
    now = opened(tmp_path, text, before=before, columns={"Куди": "fields.city"})
    assert (described(now).columns, now.mapping.system) == ({"Хто": "fields.Хто", "Куди": "fields.city"}, "file")


@pytest.mark.parametrize("place", ["memory", "folder"])
def test_it_is_kept_by_the_header(tmp_path: Path, place: str) -> None:
    async def test() -> None:
        store = ImportStore(MemoryStore()) if place == "memory" else ImportStore.open(str(tmp_path))
        said = Options(columns={"Хто": "name"})
        await store.remember(SHOP, ("Хто", "Куди"), said)
        assert await store.remembered(SHOP, ("Хто", "Куди")) == said
        assert await store.remembered(SHOP, ("Хто",)) is None and await store.waiting() == []

    asyncio.run(test())


def test_exports_of_pipedrive_are_read_as_they_are(tmp_path: Path) -> None:
    people = opened(
        tmp_path,
        "Person - ID,Person - Name,Person - Label,Person - Phone - Work,Person - Phone - Mobile,Person - Email - Work,"
        "Person - Organization,Person - Person created\n"
        '12,Ann Lee,,"067 123 45 67, 050 765 43 21",+380931112233,ann@example.com,Acme,2024-03-01 10:00:00\n',
    )
    (ann,) = facts(people)
    assert (ann.system, ann.key, ann.name, ann.emails) == ("pipedrive", "12", "Ann Lee", ("ann@example.com",))
    assert [phone.e164 for phone in ann.phones] == ["+380671234567", "+380507654321", "+380931112233"]
    assert (ann.fields, ann.meta.occurred_at) == ({"Person - Organization": '"Acme"'}, 1_709_280_000_000_000)
    deals = opened(
        tmp_path,
        "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Stage,Deal - Owner,Person - ID,"
        "Deal - Deal created\n"
        "7,Sofa,1250.50,UAH,won,Olha,12,2024-03-02 10:00:00\n",
    )
    (sofa,) = facts(deals)
    assert isinstance(sofa, DealReported)
    assert (sofa.system, sofa.key, sofa.title, sofa.contact_key) == ("pipedrive", "7", "Sofa", "12")
    assert (sofa.amount_minor, sofa.currency, sofa.stage, sofa.owner) == (125_050, "UAH", "won", "Olha")
    crm = Crm()
    assert crm.run(people) == crm.run(deals) == ["create"]
    assert [deal.contact_id for deal in crm.events(DealOpened)] == [
        card.contact_id for card in crm.events(ContactCreated)
    ]


def test_exports_of_bitrix24_are_read_as_they_are(tmp_path: Path) -> None:
    contacts = (
        "ID;Ім'я;По батькові;Прізвище;Робочий телефон;Мобільний телефон;Робочий e-mail;Тип контакту;Відповідальний\n"
    )
    (oleh,) = facts(
        opened(tmp_path, contacts + "5;Олег;Іванович;Кравець;0441234567;0671234567;o@example.com;Клієнт;Ольга\n")
    )
    assert (oleh.system, oleh.key, oleh.name) == ("bitrix24", "5", "Олег Іванович Кравець")
    assert [phone.e164 for phone in oleh.phones] == ["+380441234567", "+380671234567"]
    deals = (
        "ID;Назва угоди;Стадія угоди;Сума;Валюта;ID контакту;Відповідальний;Дата створення\n"
        "9;Диван;Нова;12 500,00;UAH;5;Ольга;02.03.2024 10:00:00\n"
    )
    (deal,) = facts(opened(tmp_path, deals))
    assert isinstance(deal, DealReported)
    assert (deal.system, deal.contact_key, deal.amount_minor, deal.stage) == ("bitrix24", "5", 1_250_000, "Нова")
    crm = Crm()
    (fact,) = facts(opened(tmp_path, deals))
    kind, doubt = outcome_of(crm.decide.take(fact))
    assert kind == "create" and doubt.startswith("There is no stage 'Нова': not moved.")


@pytest.mark.parametrize(
    "text", ["ID,Name,Phone\n{},{},0671234567\n", "ID,Deal name,Amount,Client,Phone\n{},Sofa,5,{},0671234567\n"]
)
def test_a_row_that_goes_to_the_card_of_somebody_else_is_doubtful(tmp_path: Path, text: str) -> None:
    crm = Crm()
    crm.run(opened(tmp_path, "Name,Phone\nІван Петренко,0671234567\n", system="crm1"))

    def name_of(contact: Id) -> str:
        card = crm.decide.states[SHOP].get(Contact, contact)
        return card.name if card else ""

    said = []
    for key, name in enumerate(["Олена Коваль", "Петренко І.", "Ivan Petrenko"]):
        (fact,) = facts(opened(tmp_path, text.format(key, name)))
        said.append(explained(fact, crm.decide.take(fact), name_of)[1])
    why = "It goes to the card of 'Іван Петренко', who has its telephone or e-mail, and names 'Олена Коваль'."
    assert said == [why, "", ""]
