"""What the headers of tables mean: the words that people and programs use, in Ukrainian, English and Russian."""

import re

APOSTROPHES = str.maketrans(dict.fromkeys("'’ʼ`´\"*", ""))
PREFIX = re.compile(r"^(?:person|deal|lead|contact|угода|контакт|лід|сделка) - ")

# By target. The first words of a CRM's own export come as they are written there.
WORDS: dict[str, str] = {
    "key": "key, id, record id, ід, ідентифікатор, код, код клієнта, id клієнта, external id, uid, cod_1c, код 1с, "
    "идентификатор",
    "name": "name, full name, contact name, contact full name, display name, піб, п.і.б., п. і. б., імя та прізвище, "
    "прізвище та імя, прізвище імя по батькові, клієнт, імя клієнта, покупець, замовник, "
    "контакт, контактна особа, фио, клиент, имя клиента, contact person, customer, client",
    "first_name": "first name, given name, імя, имя, firstname",
    "last_name": "last name, family name, surname, прізвище, фамилия, lastname",
    "middle_name": "middle name, additional name, по батькові, отчество",
    "emails": "email, e-mail, e mail, emails, email address, e-mail address, mail, пошта, ел. пошта, електронна пошта, "
    "електронна адреса, email - work, email - home, email - other, work e-mail, work email, private e-mail, "
    "other e-mail, "
    "робочий e-mail, приватний e-mail, інший e-mail, рабочий e-mail, частный e-mail, другой e-mail, "
    "электронная почта, почта",
    "phones": "моб. тел, phone, phone number, phones, mobile, mobile phone, mobile phone number, cell phone, "
    "telephone, tel, "
    "телефон, телефони, номер телефону, мобільний, мобільний телефон, моб. телефон, моб телефон, тел, тел., "
    "контактний телефон, "
    "phone - work, phone - home, phone - mobile, phone - other, work phone, home phone, other phone, "
    "робочий телефон, домашній телефон, інший телефон, рабочий телефон, мобильный телефон, домашний телефон, "
    "другой телефон, номер телефона",
    "status": "status, статус",
    "reference": "reference, order number, invoice number, номер замовлення, номер заказа",
    "title": "title, deal name, deal title, lead title, назва, назва угоди, назва лота, угода, название, "
    "название сделки, "
    "назва ліда, замовлення",
    "amount": "amount, value, sum, total, deal value, budget, сума, сума угоди, бюджет, вартість, сумма, стоимость",
    "currency": "currency, currency code, валюта, currency of value, deal currency code",
    "stage": "stage, deal stage, стадія, стадія угоди, етап, стадия, стадия сделки, этап",
    "owner": "owner, deal owner, lead owner, responsible, відповідальний, менеджер, ответственный, responsible person",
    "contact_key": "contact id, person id, person - id, id контакту, associated contact ids, код контакту, id контакта",
    "created_at": "create date, created, created at, created on, creation date, date added, deal created, add time, "
    "person created, дата створення, створено, дата додавання, дата создания",
    "changed_at": "last modified date, last modified, modified, modified on, updated, updated at, update time, "
    "дата зміни, змінено, дата изменения",
    "": "reason, причина відмови імпорту",
}
COLUMN_OF_A_LIST = re.compile(r"(?P<what>e-?mail|phone|телефон)s? \d+ - (?P<part>value|type|label)")
OWNER_OF_BITRIX = {"відповідальний", "ответственный", "responsible", "responsible person"}
KIND_OF_BITRIX = {"тип контакту", "тип контакта", "contact type", "стадія угоди", "стадія", "стадия сделки", "стадия"}
KIND_OF_BITRIX |= {"deal stage", "джерело", "источник", "source"}
NUMBERED = re.compile(r"(?P<word>.*[^\W\d_])\.? ?№? ?\(?\d{1,2}\)?")


def plain(header: str) -> str:
    return " ".join(header.translate(APOSTROPHES).casefold().replace("_", " ").split()).strip(" :.№")


TARGETS = {plain(word): target for target, words in WORDS.items() for word in words.split(", ")}
TARGETS[plain("прізвище, імя, по батькові")] = "name"


def target_of(header: str) -> str | None:
    """Returns what a header means; None when that is not known, empty for a column that says nothing."""
    text = plain(header)
    if listed := COLUMN_OF_A_LIST.fullmatch(text):
        if listed["part"] != "value":
            return ""
        return "emails" if "mail" in listed["what"] else "phones"
    for word in (text, PREFIX.sub("", text)):
        if word in TARGETS:
            return TARGETS[word]
    if (numbered := NUMBERED.fullmatch(text)) and TARGETS.get(numbered["word"].strip()) in ("phones", "emails"):
        return TARGETS[numbered["word"].strip()]
    return None


def system_of(header: tuple[str, ...]) -> str:
    """Returns which system wrote an export, as a word for the keys of its records; `file` when it is not known."""
    words = {" ".join(name.casefold().split()) for name in header}
    if any(word.startswith(("person - ", "deal - ", "organization - ", "lead - ")) for word in words):
        return "pipedrive"
    if "record id" in words:
        return "hubspot"
    if "group membership" in words or ("phone 1 - value" in words or "e-mail 1 - value" in words):
        return "google"
    if "id" in words and words & OWNER_OF_BITRIX and words & KIND_OF_BITRIX:
        return "bitrix24"
    return "file"
