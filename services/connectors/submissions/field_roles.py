"""What a field asks for and about whom, by its names and its place: evidence to weigh with its value."""

import re
from functools import lru_cache
from typing import NamedTuple

from crm.enquiries import technical as technical_name
from services.connectors.submissions.honeypots import is_honeypot
from services.connectors.submissions.words import (
    BY_PHRASE,
    CODE_WORDS,
    CURRENCIES,
    FILLERS,
    OF_CODES,
    OWN_IDENTIFIERS,
    PEOPLE,
    classes,
)

PLAIN, WEAK = 2, 1  # how surely a name asks for its role
# About whom: the one who sends, who gets what was ordered, somebody else near, anybody or anything else.
SENDER, RECIPIENT, NEAR, STRANGER = range(4)
_CAMEL = re.compile(r"(?<=[a-zа-яіїєґ])(?=[A-ZА-ЯІЇЄҐ])")
_APOSTROPHE = re.compile(r"['’ʼ`‘\"]|(?<=ім)[_ ](?=я\b)", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 400  # characters of all names: longer ones ask for nothing known, and shall not fill the cache
_SENTENCE = 8  # words
_NUMBERED = re.compile(r"\d")
_CALLED = re.compile(r"(по|пере)?(дзвон|звон)|зателефон|набра|задзвон|oddzwon|zadzwon")
_ABOUT = {"guardian", "numbered"}  # classes of words that do not say whose a telephone is
_COUNTER = re.compile(r"[qf]?\d+")  # tel-123, q3_name

_CLICK_IDS = frozenset(("gclid", "fbclid"))
_IDS = """
    submissionid submissionuuid submissiontoken entryid leadid leadgenid responseid idempotencykey applicationid
    submissionkey zayavkaid tranid leaduuid entryuuid responseuuid executionid imtid seqnum
"""
_TYPES = {
    "email": "email",
    "tel": "phone",
    "phone": "phone",
    "phone_number": "phone",
    "phonenumber": "phone",
    "textarea": "message",
    "long_text": "message",
    "paragraph": "message",
}
# Says nothing that a person said.
_TECHNICAL = re.compile(
    r"^_|(^|_)(id|ids|key|hash|version|locale|lang|language|tz|timezone|utc|act|action|type|event|source|status|submit"
    r"|button|btn|url|href|referrer|page|form|step|method|mode|check|ping|host|browser|device|screen|platform|os"
    r"|webhook|hook|zen|subject|title|credit|powered_by|pretty|slug|medium|campaign|env|debug|test|is_test)$"
)
_ADDRESSEE = re.compile(r"(^|_)(to|cc|bcc|mailto|sendto)$|^(to|cc|bcc|mailto|sendto)_")  # of a letter: the shop
_META = frozenset(("meta", "cookies", "metadata", "tracking", "range", "definition", "headers", "device"))

# Inside these a field is the sender's own; inside unknown ones it is so with less certainty.
_OWN = """
    f data fields formfields customer client contact contacts user lead person buyer answers hidden payment billing
    values namedvalues submission query utm params payload body record entry response formresponse formdata
    event columnvalues userdata usercolumndata fielddata details info request result results content properties
    attributes raw rawrequest order sender applicant participant visitor callback anketa quizanswers noteattributes
    profile personal personaldata contactinfo contactdata contactdetails clientinfo clientdata leadinfo customerdata
    customerinfo billingaddress questions inputs input vals extra message заявка анкета клієнт дані main form
"""
IDS, OWN = frozenset(_IDS.split()), frozenset(_OWN.split())
_PLUGIN = re.compile(r"wp\w*forms?|cf\d")  # a plugin's own wrapper of all fields


class FieldMeaning(NamedTuple):
    """What a field's names and place say, before its value is read."""

    role: str = ""
    weight: int = 0
    whose: int = SENDER
    technical: bool = False
    volatile: bool = False  # another each time, so it takes no part in comparing
    closed: bool = False  # it says what it is, and that is no way to reach somebody
    honeypot: bool = False  # people do not see it
    blank: bool = False  # it says nothing: field_1
    plain: bool = False  # it asks plainly for something of the sender's that has a place of its own


NOTHING = FieldMeaning()


def field_meaning(role: str, weight: int = PLAIN, whose: int = SENDER, technical: bool = False) -> FieldMeaning:
    """Returns the meaning of a field whose format says what it asks for."""
    return FieldMeaning(role, weight, whose, technical, plain=bool(role) and (weight, whose) == (PLAIN, SENDER))


def meaning_of(names: tuple[str, ...], path: tuple[str, ...] = (), kind: str = "") -> FieldMeaning:
    """Returns the meaning of a field. `names`: its name, title and question; `kind`: its type at the form builder."""
    if len("".join(names + path)) <= _LONGEST:
        return _meaning_of(names, path, kind)
    if len(names) > 1:  # a question of many words says less than the short name next to it
        return meaning_of((min(names, key=len),), path, kind)
    return NOTHING


def meaning_of_one(name: str, path: tuple[str, ...]) -> FieldMeaning:
    """`meaning_of` for the usual field, which has one name."""
    length = len(name) + (len("".join(path)) if path else 0)
    return _meaning_of_one(name, path) if length <= _LONGEST else NOTHING


@lru_cache(maxsize=8_192)
def _meaning_of_one(name: str, path: tuple[str, ...]) -> FieldMeaning:
    return meaning_of((name,), path)


@lru_cache(maxsize=8_192)
def _meaning_of(names: tuple[str, ...], path: tuple[str, ...], kind: str) -> FieldMeaning:
    read = [_of_name(name, path) for name in dict.fromkeys(names) if name]
    if not read:
        return NOTHING
    blank = all(meaning.blank for meaning in read)
    role, weight = max(((meaning.role, meaning.weight) for meaning in read), key=lambda pair: pair[1])
    if typed := _TYPES.get(kind.lower()):
        role, weight = typed, PLAIN
    if role in ("phone", "email"):  # "Телефон опікуна" is perhaps another's, however plain the short name is
        weight = min((meaning.weight for meaning in read if meaning.role == role), default=weight)
    whose, loose = _place(path)
    if whose == STRANGER and role in ("phone", "email"):
        whose = NEAR  # a way to reach somebody in an odd place is at least shown
    if any(map(_is_staff, path)):
        whose = STRANGER
    if loose and not role.startswith(("utm", "form", "page")):
        weight = min(weight, WEAK)
    whose = SENDER if role.startswith("form_") else max(whose, *(meaning.whose for meaning in read))
    if kind.lower() == "hidden" and role in ("phone", "email", "number"):
        whose = max(whose, NEAR)
    return FieldMeaning(
        role,
        weight,
        whose,
        plain=bool(role) and role != "message" and (weight, whose) == (PLAIN, SENDER),
        technical=any(meaning.technical for meaning in read) or kind.lower() in ("acceptance", "recaptcha", "legal"),
        volatile=any(meaning.volatile for meaning in read) or "recaptcha" in kind.lower(),
        closed=any(meaning.closed for meaning in read) and role not in ("phone", "email"),
        honeypot=any(map(is_honeypot, names)) or kind.lower() == "honeypot",
        blank=blank,
    )


def _of_name(name: str, path: tuple[str, ...]) -> FieldMeaning:
    lower = name.strip().lower()
    if lower.startswith("utm_"):
        return FieldMeaning("utm." + lower[4:], PLAIN, technical=True, volatile=True)
    if lower in _CLICK_IDS:
        return FieldMeaning("utm." + lower, PLAIN, technical=True, volatile=True)
    last = path[-1].lower() if path else ""
    if last == "utm":
        return FieldMeaning("utm." + lower, PLAIN, technical=True, volatile=True)
    if last in ("form", "quiz") and lower in ("id", "name", "title"):  # a quiz has a name too
        return FieldMeaning("form_id" if lower == "id" else "form_name", PLAIN, technical=True)
    if lower == "amount" and last == "payment":  # of a cart
        return FieldMeaning("amount", PLAIN)
    snake = "_".join(_WORD.findall(_CAMEL.sub(" ", name).lower()))
    plain = snake.replace("_", "")
    meta = any(step.lower() in _META for step in path)
    starts = "_" if name.startswith("_") else ""
    volatile = meta or technical_name(name)
    all_words = _WORD.findall(_CAMEL.sub(" ", _APOSTROPHE.sub("", name)).lower())
    points = frozenset[str]().union(*map(classes, all_words))
    if (
        not volatile
        and all(word in FILLERS or _COUNTER.fullmatch(word) for word in all_words)
        and _NUMBERED.search(name)
    ):
        return FieldMeaning(blank=True)
    technical = volatile or "consent" in points or bool(_TECHNICAL.search(starts + snake))
    if plain in IDS:
        return FieldMeaning("submission", PLAIN, technical=True, volatile=True, closed=True)
    if CODE_WORDS & {*all_words, plain} and OF_CODES & set(all_words):
        return FieldMeaning("calling_code", PLAIN, closed=True)
    if plain == "orderkey":
        return FieldMeaning("order_key", PLAIN, technical=True, closed=True)
    role, weight, whose, closed = _role(all_words, points)
    if _ADDRESSEE.search(snake):
        whose = STRANGER
    if technical and role not in ("page", "form_id", "form_name", "reference", "phone", "email", "name"):
        role, weight = ("", 0) if volatile or starts else (role, weight)
    if volatile and role != "page":
        role, weight = "", 0
    return FieldMeaning(role, weight, whose, technical, volatile, closed or "consent" in points)


def _role(all_words: list[str], points: frozenset[str]) -> tuple[str, int, int, bool]:
    """Returns role, weight, whose it is, and whether the name says that it is something else."""
    words = [word for word in all_words if word not in FILLERS and not _COUNTER.fullmatch(word)]
    whose = _whose(points)
    if len(all_words) > _SENTENCE:
        whose = SENDER  # a question in a whole sentence is for the sender, even when it mentions others
    elif whose == STRANGER and any(map(_CALLED.match, all_words)):
        whose = SENDER  # "Телефон, на який подзвонить майстер"
    if role := BY_PHRASE.get(" ".join(words), ""):
        return role, PLAIN, whose, role not in ("name", "first", "last", "middle", "email")
    if "consent" in points:
        return "", 0, whose, True
    if not points & {"thing", "staff"} and (role := BY_PHRASE.get(" ".join(words[-2:]), "")) in ("first", "last"):
        return role, PLAIN, whose, False  # "mf first name"
    if points & {"phone", "email"}:
        role = "email" if "email" in points else "phone"
        odd = len(all_words) <= _SENTENCE and not all(classes(w) - _ABOUT or w in OWN_IDENTIFIERS for w in words)
        return role, WEAK if odd else PLAIN, max(whose, NEAR if "company" in points else SENDER), False
    if len(words) > 1 and (role := BY_PHRASE.get(" ".join(word for word in words if word not in CURRENCIES), "")):
        return (role, PLAIN, whose, True) if role in ("sum", "amount", "price") else ("", 0, whose, True)
    rest = [word for word in words if not _whose(classes(word))]
    if whose and len(rest) < len(words) and (role := BY_PHRASE.get(" ".join(rest), "")):
        return role, PLAIN, whose, True
    if "thing" in points:
        named = points & {"person", "name"}
        return "", 0, STRANGER if named else whose, "message" not in points
    if "person" in points:
        last = any(word.startswith(("прізв", "фамил", "nazwisk")) for word in words) and not points & {"name"}
        alone = not any(word[:2] in ("ім", "им", "im", "пі", "фі", "фи", "зв", "зо", "об") for word in words)
        return "last" if last and alone else "name", WEAK, whose, False
    if "name" in points:
        return "", 0, STRANGER, True  # of what nobody knows
    if "numbered" in points and ("number" in points or all("numbered" in classes(word) for word in words)):
        return "", 0, whose, True
    if {"number", "reach"} <= points:
        return "phone", PLAIN, whose, False
    for role in ("message", "number", "reach"):
        if role in points:
            return role, PLAIN if role == "message" else WEAK, whose, False
    if not words and PEOPLE.intersection(all_words):
        return "name", WEAK, whose, False
    return "", 0, whose, False


@lru_cache(maxsize=4_096)
def _is_staff(step: str) -> bool:
    return step.lower() not in OWN and any("staff" in classes(word) for word in _WORD.findall(step.lower()))


def _whose(points: frozenset[str]) -> int:
    if "staff" in points:
        return STRANGER
    return NEAR if "near" in points else RECIPIENT if "recipient" in points else SENDER


def _place(path: tuple[str, ...]) -> tuple[int, bool]:
    """Returns about whom a nested field is, and whether its place is unknown."""
    whose, loose = SENDER, False
    for number, step in enumerate(path):
        words = _WORD.findall(_CAMEL.sub(" ", step).lower())
        if (joined := "".join(words)) in OWN or _PLUGIN.fullmatch(joined):
            continue
        if step.isdecimal() and number:  # the first of a list; the others are somebody with them
            whose = max(whose, NEAR if step != "0" else SENDER)
            continue
        points = frozenset[str]().union(*map(classes, words))
        if points & {"thing", "company", "staff"} and "address" not in words:
            whose = STRANGER
        elif _whose(points):
            whose = max(whose, _whose(points))
        else:
            loose = True
    return whose, loose
