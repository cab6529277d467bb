"""What a field asks for and about whom, by its names and by where it stands: evidence to be weighed with its value."""

import re
from functools import lru_cache
from typing import NamedTuple

from services.connectors.words import BY_PHRASE, CURRENCIES, FILLERS, PEOPLE, classes

PLAIN, WEAK = 2, 1  # how surely a name asks for its role
SENDER, NEAR, STRANGER = 0, 1, 2  # about whom: the one who sends, somebody near them, anybody or anything else
_CAMEL = re.compile(r"(?<=[a-zа-яіїєґ])(?=[A-ZА-ЯІЇЄҐ])")
_APOSTROPHE = re.compile(r"['’ʼ`‘\"]")
_WORD = re.compile(r"[^\W_]+")
_LONGEST = 400  # characters of all names: longer ones ask for nothing known, and shall not fill the cache
_SENTENCE = 8  # words
_COUNTER = re.compile(r"[qf]?\d+")  # tel-123, Jotform's q3_

_CLICK_IDS = frozenset(("gclid", "fbclid"))
_IDS = """
    submissionid submissionuuid submissiontoken entryid leadid leadgenid responseid eventid requestid messageid
    idempotencykey applicationid respondentid ticketid submissionkey zayavkaid
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
# Another value each time, whatever a person says.
_VOLATILE = re.compile(
    r"captcha|turnstile|csrf|xsrf|nonce|token|signature|fingerprint|session|cookie|user_?agent|refer+er|tracker"
    r"|clid$|^gcl_id$|^[gw]braid$|time_?stamp|^time_?(on|spent|to)|clicked_at"
    r"|(^|_)(ip|ip_address|sid|ga|gid|cid|fbp|fbc|ym_?uid|client_?id|visitor_?id|roistat(_visit)?|uuid|build_?date)$"
    r"|^_?(date_?)?(sent|submitted|submission|created|updated|modified|delivered|received|landed|started|completed|paid)"
    r"(_?(at|on|time|date|gmt))*$|^_(date|time)$|^(form_)?(load|start|submit|send)_?time$"
    r"|^(now|ts|t0|rnd|rand|random|cache_?buster|attempts?|retry|retries|visits?|page_?views|duration|hash)$"
    r"|^(позначка_часу|отметка_времени|date_created_gmt|date_modified_gmt|date_paid_gmt)$"
)
# Says nothing that a person said.
_TECHNICAL = re.compile(
    r"^_|(^|_)(id|ids|key|hash|version|locale|lang|language|tz|timezone|utc|act|action|type|event|source|status|submit"
    r"|button|btn|url|href|referrer|page|form|step|method|mode|check|ping|host|browser|device|screen|platform|os"
    r"|webhook|hook|zen|subject|title|credit|powered_by|pretty|slug|medium|campaign|env|debug|test|is_test)$"
)
_META = frozenset(("meta", "cookies", "metadata", "tracking", "range", "definition", "headers", "device"))

# Inside these a field is the sender's own; inside unknown ones it is so with less certainty.
_OWN = """
    f data fields formfields customer client contact contacts user lead person buyer answers hidden payment billing
    values namedvalues submission query utm params payload body record entry response formresponse formdata wpforms
    cf7 userdata usercolumndata fielddata details info request result results content properties attributes raw
    rawrequest order sender applicant participant visitor callback anketa quizanswers noteattributes profile personal
    personaldata contactinfo contactdata contactdetails clientinfo clientdata leadinfo customerdata customerinfo
    billingaddress questions inputs input vals extra message заявка анкета клієнт дані main form
"""
IDS, OWN = frozenset(_IDS.split()), frozenset(_OWN.split())


class Asked(NamedTuple):
    """What is known of a field before its value is looked at."""

    role: str = ""
    weight: int = 0
    whose: int = SENDER
    technical: bool = False
    volatile: bool = False  # another each time, so it takes no part in comparing
    closed: bool = False  # it says what it is, and that is no way to reach somebody


NOTHING = Asked()


def asked_of(names: tuple[str, ...], path: tuple[str, ...] = (), kind: str = "") -> Asked:
    """`names`: the field's own, its title, its question; `path` leads to it; `kind` is what its builder calls it."""
    if sum(map(len, names)) + sum(map(len, path)) <= _LONGEST:
        return _asked_of(names, path, kind)
    if len(names) > 1:  # a question of many words says less than the short name beside it
        return asked_of((min(names, key=len),), path, kind)
    return NOTHING


@lru_cache(maxsize=8_192)
def _asked_of(names: tuple[str, ...], path: tuple[str, ...], kind: str) -> Asked:
    read = [_of_name(name, path) for name in dict.fromkeys(names) if name]
    if not read:
        return NOTHING
    role, weight = max(((asked.role, asked.weight) for asked in read), key=lambda pair: pair[1])
    if typed := _TYPES.get(kind.lower()):
        role, weight = typed, PLAIN
    whose, loose = _place(path)
    if loose and role in ("name", "first", "last", "middle", "sum", "price", "amount"):
        weight = min(weight, WEAK)
    whose = max(whose, *(asked.whose for asked in read))
    if kind.lower() == "hidden" and role in ("phone", "email", "number"):
        whose = max(whose, NEAR)
    return Asked(
        role,
        weight,
        whose,
        technical=any(asked.technical for asked in read) or kind.lower() in ("acceptance", "recaptcha", "legal"),
        volatile=any(asked.volatile for asked in read) or "recaptcha" in kind.lower(),
        closed=any(asked.closed for asked in read) and role not in ("phone", "email"),
    )


def _of_name(name: str, path: tuple[str, ...]) -> Asked:
    lower = name.strip().lower()
    if lower.startswith("utm_"):
        return Asked("utm." + lower[4:], PLAIN, technical=True, volatile=True)
    if lower in _CLICK_IDS:
        return Asked("utm." + lower, PLAIN, technical=True, volatile=True)
    last = path[-1].lower() if path else ""
    if last == "utm":
        return Asked("utm." + lower, PLAIN, technical=True, volatile=True)
    if last in ("form", "quiz") and lower in ("id", "name", "title"):  # Elementor's; a quiz has a name too
        return Asked("form_id" if lower == "id" else "form_name", PLAIN, technical=True)
    if lower == "amount" and last == "payment":  # Tilda's cart
        return Asked("amount", PLAIN)
    snake = "_".join(_WORD.findall(_CAMEL.sub(" ", name).lower()))
    plain = snake.replace("_", "")
    meta = any(step.lower() in _META for step in path)
    starts = "_" if name.startswith("_") else ""
    volatile = meta or bool(_VOLATILE.search(starts + snake))
    all_words = _WORD.findall(_CAMEL.sub(" ", _APOSTROPHE.sub("", name)).lower())
    points = frozenset[str]().union(*map(classes, all_words))
    technical = volatile or "consent" in points or bool(_TECHNICAL.search(starts + snake))
    if plain in IDS:
        return Asked("submission", PLAIN, technical=True, volatile=False, closed=True)
    if plain == "orderkey":
        return Asked("order_key", PLAIN, technical=True, closed=True)
    role, weight, whose, closed = _role(all_words, points)
    if technical and role not in ("page", "form_id", "form_name", "reference", "phone", "email", "name"):
        role, weight = ("", 0) if volatile or starts else (role, weight)
    if volatile and role != "page":
        role, weight = "", 0
    return Asked(role, weight, whose, technical, volatile, closed or "consent" in points)


def _role(all_words: list[str], points: frozenset[str]) -> tuple[str, int, int, bool]:
    """Role, weight, whose, and whether the name says that it is something else."""
    words = [word for word in all_words if word not in FILLERS and not _COUNTER.fullmatch(word)]
    whose = STRANGER if "staff" in points else NEAR if "near" in points else SENDER
    if len(all_words) > _SENTENCE:
        whose = SENDER  # a question in a whole sentence is asked of the one who sends, whoever else is in it
    if role := BY_PHRASE.get(" ".join(words)):
        return role, PLAIN, whose, role not in ("name", "first", "last", "middle", "email")
    if "consent" in points:
        return "", 0, whose, True
    if points & {"phone", "email"}:
        near = NEAR if "company" in points else SENDER
        return "email" if "email" in points or "phone" not in points else "phone", PLAIN, max(whose, near), False
    if len(words) > 1 and (role := BY_PHRASE.get(" ".join(word for word in words if word not in CURRENCIES))):
        return (role, PLAIN, whose, True) if role in ("sum", "amount", "price") else ("", 0, whose, True)
    near = [word for word in words if not {"near", "staff"} & classes(word)]
    if whose and len(near) < len(words) and (role := BY_PHRASE.get(" ".join(near))):
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
    for role in ("message", "number", "reach"):
        if role in points:
            return role, PLAIN if role == "message" else WEAK, whose, False
    if not words and PEOPLE.intersection(all_words):
        return "name", WEAK, whose, False
    return "", 0, whose, False


def _place(path: tuple[str, ...]) -> tuple[int, bool]:
    """About whom a nested field is, and whether its place is one that nobody knows."""
    whose, loose = SENDER, False
    for number, step in enumerate(path):
        words = _WORD.findall(_CAMEL.sub(" ", step).lower())
        if "".join(words) in OWN:
            continue
        if step.isdecimal() and number:  # the first of a list; the others are somebody with them
            whose = max(whose, NEAR if step != "0" else SENDER)
            continue
        points = frozenset[str]().union(*map(classes, words)) if words else frozenset()
        if points & {"staff", "thing", "company"}:
            whose = STRANGER
        elif "near" in points:
            whose = max(whose, NEAR)
        else:
            loose = True
    return whose, loose
