"""Telephone numbers as people write them, and the one form in which two of them can be compared (E.164)."""

import re
import unicodedata
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import unquote

from crm.dialling import begins_whole, e164_of, from_abroad, is_calling_code, is_nonsense
from crm.shared import Phone

_LONGEST = 1_000
_CACHED = 64
_MOST_PARTS = 24
_LEAST_OF_ANOTHER = 5  # digits behind a whole number that are no part of it
_PUNCTUATION = str.maketrans("", "", " \t\u00a0()-.+")
_PLAIN = re.compile(r"[ \t\u00a0()\-.]*\+?[ \t\u00a0()\-.\d]*")
_RAW_PLUS = re.compile(r"\s[1-9][\d ().-]{8,24}")
_TABLE = re.compile(r"\+?\d{7,15}[.,]0+|\d{1,3}(?:,\d{3}){2,4}")
_EXPONENT = re.compile(r"(\d(?:[.,]\d+)?)e\+?(\d\d?)", re.IGNORECASE)
_CHAT_LINK = re.compile(r"(?:wa\.me/|[?&](?:phone|number)=|t\.me/\+|tel:)(?:\+|%2b)?[\s-]*(\d{7,15})\b", re.IGNORECASE)
_SIP = re.compile(r"\bsips?:([^@\s]+)@[^\s>]*", re.IGNORECASE)
_SOLID = re.compile(r"\+?\d{10,15}")
_TEL = re.compile(r"\b(?:tel|phone|callto):", re.IGNORECASE)
_ELSEWHERE = re.compile(r"\S*(?:://|www\.|@|;phone-context=)\S*")  # links and addresses: their digits are no number's
_DAMAGE = re.compile(r"[\d\s()+.-]*\ufffd[\d\s()+.-]*")  # a number with a letter lost in it is none
_HOUR = re.compile(r"(?<!\d)\d{1,2}:\d{2}(?!\d)")
_ZERO = re.compile(r"(?<=\d)[oо]+(?=[\d\s()./-]|$)|(?<![^\W_])[oо](?=\d\d)|(?<=\d[\s()./-])[oо](?=\d)", re.IGNORECASE)
_THREE = re.compile(r"(?<=\d)[зЗ](?=[\d\s()./-]|$)")
_ONE = re.compile(r"(?<=\d)[lIіІ](?=\d)")
_EXTENSION = re.compile(
    r"(?:[,;]?\s*\(?\s*(?:\b(?:дод|доб|доп|внутр?|вн|ext|extn|extension|wew|poste|int)[а-яіїєґ]*\b\.?|(?<=\d)[xх]|(?<=\d\s)[xх]|#)"
    r"\s*[.:№=]?\s*)(\d{1,6})(?!\d)\)?",
    re.IGNORECASE,
)
_MARKER = re.compile(r"(?:^|(?<=[\s,;]))\d[).]\s+(?=[+0(])")
_RUN = re.compile(r"[+(]*\d[\d\s()+./,\\_-]*")
_PART = re.compile(r"\s*[/,\\]\s*")


class _Found(NamedTuple):
    """A number, and where in the cleaned text it begins."""

    e164: str
    start: int
    extension: str = ""


def read_phone(text: str, country: str = "UA") -> Phone:
    """The text as it was given, and its E.164 form where the text certainly holds one number and no second."""
    return _cached_one(text, country) if len(text) <= _CACHED else _one(text, country)


def _one(text: str, country: str) -> Phone:
    found = phones_in(text, country)
    return Phone(text, found[0].e164, found[0].extension) if len(found) == 1 else Phone(text, "")


_cached_one = lru_cache(maxsize=65_536)(_one)


def phones_in(text: str, country: str = "UA") -> list[Phone]:
    """Every number in a text that was meant to be one, or several, in order and once each; their texts are the whole.

    An unreadable remainder (a name, an hour, half a number) is part of the text of the number before it.
    """
    if len(text) <= _CACHED:
        return list(_cached(text, country))
    return list(_phones(text, country)) if len(text) <= _LONGEST else []


def _phones(text: str, country: str) -> tuple[Phone, ...]:
    if country == "UA" and (plain := _ukrainian(text)):
        return (Phone(text, plain),)
    if text.isascii() and "." not in text and _PLAIN.fullmatch(text) and (plain := e164_of(text, country)):
        return (Phone(text, plain),)
    clean = _clean(text)
    found = list({one.e164: one for one in reversed(list(_found(clean, country)))}.values())[::-1]
    if not found and _RAW_PLUS.fullmatch(text.rstrip()) and (e164 := from_abroad(re.sub(r"\D", "", text))):
        found = [_Found(e164, 0)]  # "+48…" in a form whose plus was not escaped arrives as " 48…"
    if len(found) < 2:
        return tuple(Phone(text, one.e164, one.extension) for one in found)
    ends = [one.start for one in found[1:]] + [len(clean)]
    starts = [0, *ends[:-1]]
    return tuple(
        Phone(clean[start:end].strip(" ,;/|\n"), one.e164, one.extension)
        for one, start, end in zip(found, starts, ends, strict=True)
    )


_cached = lru_cache(maxsize=16_384)(_phones)


def _ukrainian(text: str) -> str:
    """The answer for the common ways to write a Ukrainian number, twenty times sooner."""
    digits = text.removeprefix("+").replace(" ", "")
    if not (digits.isascii() and digits.isdecimal()):
        if not text.isascii() or not _PLAIN.fullmatch(text):
            return ""
        digits = text.translate(_PUNCTUATION)
    if len(digits) == 10 and digits[0] == "0" and "+" not in text:
        digits = "38" + digits
    sound = len(digits) == 12 and digits.startswith("380") and digits[3] in "345679" and digits[3:6] != "380"
    return "+" + digits if sound and not is_nonsense(digits[3:]) else ""


def _clean(text: str) -> str:
    """ASCII digits, blanks, dashes and plus signs for all that look so; nothing that cannot be seen."""
    if not text.isascii():
        text = "".join(map(_shown, text))
    text = _DAMAGE.sub(" | ", text.strip().lstrip("'=\""))
    if _TABLE.fullmatch(text):
        return text.replace(",", "") if text.count(",") > 1 else re.split("[.,]", text)[0]
    if exponent := _EXPONENT.fullmatch(text):
        return _whole(exponent[1].replace(",", "."), exponent[2])
    if "%" in text or ":" in text or "/" in text or "@" in text:
        text = _SIP.sub(r" \1 ", text)
        text = _CHAT_LINK.sub(r" +\1 ", unquote(text)) if not text.lower().startswith("tel:0") else text
        text = _ELSEWHERE.sub(" | ", _TEL.sub(" ", text))
        text = _HOUR.sub(" | ", text)
    text = _ZERO.sub(lambda run: "0" * len(run[0]), text)
    return _MARKER.sub(" | ", _ONE.sub("1", _THREE.sub("3", text)))


def _shown(letter: str) -> str:
    kind = unicodedata.category(letter)
    if kind == "Nd":
        return str(unicodedata.decimal(letter))
    if kind in ("Cf", "Mn", "Me", "Cc") and letter not in "\t\r\n":
        return ""
    if kind == "Zs":
        return " "
    if kind == "Pd" or letter == "\u2212":
        return "-"
    if letter in "·•∙⋅":
        return "."
    return unicodedata.normalize("NFKC", letter) if letter in "＋﹢⁺（）．／，；" else letter


def _whole(mantissa: str, exponent: str) -> str:
    """The digits of a number that a table wrote with an exponent, if none was rounded away."""
    try:
        exact = len(mantissa.partition(".")[2]) == int(exponent)
        return str(int(Decimal(mantissa).scaleb(int(exponent)))) if exact else ""
    except InvalidOperation:
        return ""


def _found(text: str, country: str) -> Iterator[_Found]:
    extensions = {}
    for match in _EXTENSION.finditer(text):
        extensions[match.start()] = match[1]
        text = text[: match.start()] + "|" * (match.end() - match.start()) + text[match.end() :]
    for run in _RUN.finditer(text):
        numbers = _of_run(run[0], run.start(), country)
        for at, one in enumerate(numbers):
            last = at == len(numbers) - 1
            yield one._replace(extension=extensions.get(run.end(), "")) if last else one


def _of_run(run: str, start: int, country: str) -> list[_Found]:
    """The numbers in what is digits and punctuation only."""
    found: list[_Found] = []
    for line in re.finditer(r"[^\r\n]+", run):
        found += _of_line(line[0], start + line.start(), country)
    if not found and ("\n" in run or "\r" in run) and (e164 := e164_of(" ".join(run.split()), country)):
        return [_Found(e164, start)]
    return found


def _of_line(line: str, start: int, country: str) -> list[_Found]:
    """Commas and slashes stand between numbers, or within one: within, only where no part is one by itself."""
    found: list[_Found] = []
    at = 0
    for part in _PART.split(line):
        at = line.index(part, at)
        found += _of_part(part, start + at, country)
        at += len(part)
    if not found and _PART.search(line) and (e164 := e164_of(_PART.sub(" ", line), country)):
        return [_Found(e164, start)]
    return found


def _of_part(part: str, start: int, country: str) -> list[_Found]:
    """All digits of it are one number's, or it falls into several whole ones in one way only."""
    if e164 := e164_of(_spelled(part), country):
        return [_Found(e164, start)]
    cuts = [0, *(cut.end() for cut in re.finditer(r"\s+(?=[+(\d])|(?<=\d)(?=\+)|(?<=\d)(?=\()", part)), len(part)]
    if len(cuts) > _MOST_PARTS:
        return []
    readings = _readings(part, cuts, 0, country)
    return (
        [one._replace(start=start + one.start) for one in readings[0]]
        if len(readings) == 1
        else _remarked(part, start, country) or _among_others(part, start, country)
    )


def _readings(part: str, cuts: list[int], first: int, country: str) -> list[list[_Found]]:
    """Every way to cut it into numbers that are written in full; two at most are looked for."""
    if first == len(cuts) - 1:
        return [[]]
    readings: list[list[_Found]] = []
    for end in range(first + 1, len(cuts)):
        piece = part[cuts[first] : cuts[end]]
        if not begins_whole(piece, country) or not (e164 := e164_of(_spelled(piece), country)):
            continue
        readings += [[_Found(e164, cuts[first]), *rest] for rest in _readings(part, cuts, end, country)]
        if len(readings) > 1:
            break
    return readings


def _remarked(part: str, start: int, country: str) -> list[_Found]:
    """A remark in brackets behind a whole number: 0671234567 (2)."""
    number, _, remark = part.partition("(") if part.rstrip().endswith(")") else ("", "", "")
    if sum(map(str.isdigit, number)) >= 9 and remark.count("(") == 0 and (e164 := e164_of(_spelled(number), country)):
        return [_Found(e164, start)]
    return []


def _among_others(part: str, start: int, country: str) -> list[_Found]:
    """The only number that is written whole and without blanks, between numbers of other things: 12.05.1985 0671234567.

    What stands before it may not be a calling code, and what stands behind it not a digit or some that belong to it.
    """
    groups = list(re.finditer(r"\S+", part))
    solid = [at for at, group in enumerate(groups) if _SOLID.fullmatch(group[0]) and group[0][0] in "+0"]
    if len(solid) != 1 or any(sum(map(str.isdigit, one[0])) > 8 for at, one in enumerate(groups) if at != solid[0]):
        return []
    before = "".join(filter(str.isdigit, groups[solid[0] - 1][0])) if solid[0] else ""
    number = groups[solid[0]]
    behind = groups[solid[0] + 1][0] if number is not groups[-1] else "("
    goes_on = behind[0] != "(" and sum(map(str.isdigit, behind)) < _LEAST_OF_ANOTHER
    if goes_on or is_calling_code(before) or "+" in part.replace(number[0], ""):
        return []
    e164 = e164_of(number[0], country)
    return [_Found(e164, start + number.start())] if e164 else []


def _spelled(part: str) -> str:
    return part.replace("_", " ").rstrip(" (+-.")
