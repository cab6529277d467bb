"""Custom fields of a form: what comes as text becomes a value of the defined type; what does not fit stays as it is."""

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple
from unicodedata import normalize

import msgspec

from crm.decisions.custom import JSON, fits
from crm.state import Definition
from crm.text.dates import day_in, moment_in
from crm.text.numbers import number_in
from crm.zones import of_workspace

YES = frozenset("on yes y true 1 так да tak checked + ✓ ✔ ☑ згоден згодна".split())  # noqa: SIM905
NO = frozenset("off no n false 0 ні нет ni nie unchecked ☐".split())  # noqa: SIM905
BETWEEN = re.compile(r"[,;|\n]+")
WANTED = {
    "number": "a number",
    "boolean": "yes or no",
    "date": "a day",
    "time": "a moment",
    "choice": "one of its options",
    "choices": "some of its options",
}
UNREAD = object()


class Fields(NamedTuple):
    """`values` are JSON text. `written`: converted ones as they came, where that says more. `doubts`: a sentence for
    each that stays text."""

    values: dict[str, str]
    written: dict[str, str]
    doubts: tuple[str, ...]


def converted(known: Mapping[str, Definition], fields: Mapping[str, str], timezone: str) -> Fields:
    values, written, doubts = dict(fields), {}, []
    for name in known.keys() & fields.keys():
        definition, text = known[name], fields[name]
        if definition.retired:
            continue
        given = JSON.decode(text)
        if fits(definition, given):
            continue
        if given in ("", None, []) and definition.type != "text":
            del values[name]  # it was left empty
            continue
        if (value := read(definition, name, given, text, timezone)) is UNREAD:
            if definition.type in WANTED:
                doubts.append(
                    f"{definition.label!r} should be {WANTED[definition.type]}, and {text} is none: kept as it came."
                )
            continue
        values[name] = as_json(value)
        if given != values[name]:
            written[name] = text
    return Fields(values, dict(sorted(written.items())), tuple(sorted(doubts)))


def read(definition: Definition, name: str, given: Any, text: str, timezone: str) -> Any:
    """UNREAD when it is not certainly one value of the type."""
    if definition.type == "choices":
        return choices(definition.options, given)
    if isinstance(given, list):
        if definition.type == "boolean":  # a hidden no before the box's yes
            given = given[-1]
        elif len(given) == 1:
            (given,) = given
        if fits(definition, given):
            return given
    if definition.type == "boolean":
        return boolean(given, {plain(name), plain(definition.label)})
    if definition.type == "text":
        return text if isinstance(given, int | Decimal) else UNREAD
    if not isinstance(given, str):
        return option(definition.options, text) if definition.type == "choice" else UNREAD
    match definition.type:
        case "number":
            number = number_in(given)
            return UNREAD if number is None else number
        case "date":
            day = day_in(given, of_workspace(timezone))
            return day.isoformat() if day else UNREAD
        case "time":
            return moment(given, timezone)
        case "choice":
            return option(definition.options, given)
    return UNREAD


def as_json(value: Any) -> str:
    """Numbers come as text with all their digits."""
    return format(value, "f") if isinstance(value, Decimal) else msgspec.json.encode(value).decode()


def boolean(given: Any, own: set[str]) -> Any:
    """A box may also send its own name as its yes."""
    if isinstance(given, bool):
        return given
    word = plain(given if isinstance(given, str) else str(given))
    if word not in own:
        word = re.split(r"[,.;!]", word)[0].strip() or word  # "Так, передзвоніть"
    return True if word in YES or word in own else False if word in NO else UNREAD


def moment(text: str, timezone: str) -> Any:
    found = moment_in(text)
    if found is None:
        return UNREAD
    return (found if found.tzinfo else found.replace(tzinfo=of_workspace(timezone))).isoformat()


def option(options: tuple[str, ...], given: str) -> Any:
    found = spelled(options).get(plain(given))
    return UNREAD if found is None else found


def choices(options: tuple[str, ...], given: Any) -> Any:
    """Of a list, or of a text that is one option or several with commas."""
    if isinstance(given, str):
        whole = option(options, given)
        parts = [given] if whole is not UNREAD else [part for part in BETWEEN.split(given) if part.strip()]
    else:
        parts = [str(one) for one in given] if isinstance(given, list) else [str(given)]
    found = [option(options, part) for part in parts]
    return UNREAD if not found or UNREAD in found else list(dict.fromkeys(found))


@lru_cache(maxsize=1_024)
def spelled(options: tuple[str, ...]) -> dict[str, str | None]:
    """Options by what is common to their spellings; None where two share it."""
    found: dict[str, str | None] = {}
    for one in options:
        found[plain(one)] = None if plain(one) in found else one
    return found


def plain(text: str) -> str:
    """Without case, doubled blanks, and the kind of apostrophes and dashes."""
    even = normalize("NFKC", text).casefold().translate(EVEN)
    return " ".join(even.split())


EVEN = str.maketrans({**dict.fromkeys("’‘ʼ`´′", "'"), **dict.fromkeys("–—‑−", "-"), **dict.fromkeys("«»“”„", '"')})
