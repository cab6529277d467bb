"""What a field asks for, by its name, in the words of site owners: Ukrainian, English, Russian, or in Latin letters."""

import re
from functools import lru_cache

_CAMEL = re.compile(r"(?<=[a-zа-яіїєґ])(?=[A-ZА-ЯІЇЄҐ])")
_APOSTROPHE = re.compile(r"['’ʼ`\"]")
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 200  # a name so long asks for nothing known, and shall not fill the cache
_COUNTER = re.compile(r"q?\d+")  # tel-123, Jotform's q3_

# Words that say nothing of what is asked.
_FILLERS = """
    your you my the a an what is s are please enter type tell us and customer client contact user buyer lead student
    students guest billing shipping delivery payer field input text value sender full та і й и по ваше ваш ваша вашу
    вкажіть введіть укажите введите як вас как клієнта покупця vashe vash
"""
_PHRASES = {
    "name": "name/fullname/fio/pib/піб/п б/фіо/фио/імя/имя/звати/зовут/imya/imia/person/контактна особа/імя прізвище"
    "/прізвище імя/прізвище імя батькові/имя фамилия/фамилия имя/фамилия имя отчество/first last name/name surname",
    "first": "first/first name/firstname/fname/given name",
    "middle": "middle/middle name/patronymic/батькові/отчество",
    "last": "last/last name/lastname/lname/surname/family name/прізвище/фамилия/prizvyshche/familiya",
    "email": "e mail/пошта/почта/електронна пошта/електронна адреса/ел пошта/эл почта/электронная почта/pochta/poshta",
    "page": "page/page url/pageurl/url/source url/landing page/referer/referrer/сторінка",
    "form_id": "form id/formid",
    "form_name": "form name/formname/form title/formtitle/form",
    "reference": "order id/orderid/order number/invoice/invoice id/номер замовлення/номер заказа",
    "amount": "payment amount",  # a plain "amount" may be of anything; see role_of
    "currency": "currency/валюта",
}
_WORDS = {
    "email": "email mail emails імейл емейл емайл імейла имейл мейл",
    "phone": "phone phones tel telephone mobile cellphone phonenumber телефон телефону телефона тел моб мобільний"
    " мобильный telefon viber whatsapp",
}
_BY_PHRASE = {phrase: role for role, phrases in _PHRASES.items() for phrase in phrases.split("/")}
_BY_WORD = {word: role for role, words in _WORDS.items() for word in words.split()}
_CLICK_IDS = frozenset(("gclid", "fbclid"))

# Inside these a field is the sender's own; inside others ("products", "company") a "name" is somebody else's.
_OWN = """
    data fields form_fields customer client contact user lead person buyer answers hidden payment billing shipping
    values namedvalues submission query utm params
"""
_FILLER_WORDS, _OWN_NAMES = frozenset(_FILLERS.split()), frozenset(_OWN.split())


def role_of(name: str, path: tuple[str, ...] = ()) -> str:
    """One of the roles above, "utm.source" and the like, or empty. `path` leads to a nested field."""
    return _role_of(name, path) if len(name) + sum(map(len, path)) <= _LONGEST else ""


@lru_cache(maxsize=8_192)
def _role_of(name: str, path: tuple[str, ...]) -> str:
    lower = name.lower()
    if lower.startswith("utm_"):
        return "utm." + lower[4:]
    if lower in _CLICK_IDS:
        return "utm." + lower
    if path == ("form",) and lower in ("id", "name"):  # Elementor's
        return "form_" + lower
    if lower == "amount" and path and path[-1].lower() == "payment":  # Tilda's cart
        return "amount"
    if any(step.lower() not in _OWN_NAMES for step in path):
        return ""
    words = _WORD.findall(_CAMEL.sub(" ", _APOSTROPHE.sub("", name)).lower())
    words = [word for word in words if word not in _FILLER_WORDS and not _COUNTER.fullmatch(word)]
    found = _BY_PHRASE.get(" ".join(words)) or next((_BY_WORD[word] for word in words if word in _BY_WORD), "")
    return found or ("email" if " e mail " in f" {' '.join(words)} " else "")
