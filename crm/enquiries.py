"""By what one enquiry is known when it comes again: what it says, without clocks, tokens and click ids."""

import re
from collections.abc import Iterable
from functools import lru_cache
from hashlib import blake2b
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec

from crm.events import DealOpened
from crm.facts import FormSubmitted
from crm.text.phonetics import phonetic_key

# Names of fields that a page, a script or a middleman fills in differently each time, in lower case with underscores.
TECHNICAL = re.compile(
    r"captcha|turnstile|csrf|xsrf|nonce|token|fingerprint|sessid|session_(id|key|hash|uuid)|cookie|user_?agent|refer+er"
    r"|tracker|clid$|^gcl_id$|^[gw]braid$|time_?stamp|time_?(on|spent|to_)|clicked_at|attempt|retry|retries|_hash$|^js_"
    r"|(^|_)(ip|ip_address|sid|ga|gid|cid|fbp|fbc|ym_?uid|roistat(_visit)?|build_?date|elapsed|load(ing|ed)?_?time"
    r"|submit_?time|send_?time)$|(visit|view)s?_count|count_(visit|view)s?|(seconds|minutes|ms)_on|^scroll_"
    r"|(^|_)(request|trace|queue|correlation|message|hit|click|visit|visitor|client|device|browser|log|webhook\w*|hook"
    r"|build|unique|random)_?id$"
    r"|(^|_)date_(sent|submitted|created|updated|modified|received|completed|paid)(_gmt)?$"
    r"|(^|_)(sent|submitted|submission|created|updated|modified|delivered|received|landed|started|completed|paid|opened"
    r"|loaded|processed)_?(at|on|time|date)(_gmt)?$|^_(date|time)$|^(form_)?(sent|submitted|created|updated|modified)$"
    r"|^(mouse_\w+|clicks|now|ts|t0|rnd|rand|random|cache_?buster|hash|uuid|visits|page_?views|screen(_\w+)?|viewport|signature)$"
    r"|^(позначка_часу|отметка_времени)$"
    r"|^utm(_|$)"
)
WORD, CAPITAL = re.compile(r"[^\W_]+"), re.compile(r"(?<=[a-zа-яіїєґ])(?=[A-ZА-ЯІЇЄҐ])")
QUERY = re.compile(r"clid$|^utm_|^_g[a-z]$|^(ref|fbp|fbc|gbraid|wbraid|_openstat|session|sid|ts|t)$", re.I)


def digest_of(form: FormSubmitted | DealOpened) -> str:
    """Of what a form says, in 16 letters: the same from the fact and from the deal that it became."""
    fields = {name: plain(unescaped(text)) for name, text in sorted(form.fields.items()) if not technical(name)}
    said = (form.form, place(form.page), form.reference.strip(), form.amount_minor or 0, fields, form.files)
    return short(said)


def anonymous(form: FormSubmitted, digest: str) -> str:
    """Of an enquiry without any identity: also what its sender is called and what could not be read of them."""
    unread = ["".join(filter(str.isdigit, phone.text)) or phone.text for phone in form.phones]
    return short((digest, phonetic_key([form.name]), unread, [email.strip().lower() for email in form.emails]))


def short(said: Any) -> str:
    return blake2b(msgspec.json.encode(said), digest_size=8).hexdigest()


@lru_cache(maxsize=4_096)
def technical(name: str) -> bool:
    """Whether a field says nothing that its sender chose, whatever the case and separators of its name."""
    last = name.rpartition(".")[2]
    begins = "_" if last.startswith("_") else ""
    return TECHNICAL.search(begins + "_".join(WORD.findall(CAPITAL.sub(" ", last).lower()))) is not None


def unescaped(text: str) -> str:
    """A letter of JSON is the same letter when a program writes its number instead."""
    if "\\u" not in text:
        return text
    try:
        return msgspec.json.encode(msgspec.json.decode(text)).decode()
    except ValueError:
        return text


def plain(text: str) -> str:
    return " ".join(text.casefold().split())


@lru_cache(maxsize=4_096)
def place(page: str) -> str:
    """The page without what only says by which advertisement somebody came."""
    if not page:
        return ""
    try:
        parts = urlsplit(page)
        query = [pair for pair in parse_qsl(parts.query) if not (QUERY.search(pair[0]) or technical(pair[0]))]
    except ValueError:  # an address that is none
        return page
    where = parts.netloc.lower() + parts.path.rstrip("/")
    return f"{where}?{sorted(query)}" if query else where


def in_words(form: FormSubmitted, most: int = 2_000) -> str:
    """What a form says, for people: its fields, a line each."""
    lines = (f"{name}: {shown(text)}" for name, text in form.fields.items() if not technical(name))
    return "\n".join(non_blank(lines))[:most]


def shown(text: str) -> str:
    try:
        value = msgspec.json.decode(text)
    except ValueError:
        return text
    return value if isinstance(value, str) else text


def non_blank(lines: Iterable[str]) -> list[str]:
    return [line for line in lines if not line.endswith(": ")]
