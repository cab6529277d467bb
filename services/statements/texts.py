"""Statements that are text: which charset their bytes are in, and the dates and sums in them."""

import re
from datetime import date, datetime, time

from crm.errors import Malformed
from services.connectors.formats.charset import decode_each, from_wide_charset
from services.connectors.formats.letter_pairs import likelihood

WORDS = ("СекцияДокумент", "КонецДокумента", "РасчСчет")
DOS = "cp1125", "cp866"  # the first has the Ukrainian letters, and banks say 866 for both
JUDGED = 4_096  # characters
DAY_FIRST = re.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})(?:\D+(\d{1,2}):(\d{2})(?::(\d{2}))?)?\D*")
YEAR_FIRST = re.compile(r"(\d{4})[./-]?(\d{2})[./-]?(\d{2})(?:\D{1,3}(\d{1,2}):(\d{2})(?::(\d{2}))?)?.*")


def decoded(body: bytes) -> str:
    """Returns the text of a file. Each line is judged with what the others say, so one charset may follow another."""
    lines = from_wide_charset(body).split(b"\n")
    return "\n".join(decode_each(lines, ""))


def with_words(body: bytes, words: tuple[str, ...] = WORDS) -> str:
    """Returns the text of a file that must hold words which are known, so that its charset is not guessed."""
    whole = from_wide_charset(body)
    try:
        return whole.decode()
    except UnicodeDecodeError:
        pass
    for text in (whole.decode("cp1251", "replace"), of_dos(whole), whole.decode("koi8-u", "replace")):
        if any(word in text for word in words):
            return text
    return decoded(body)


def of_dos(body: bytes) -> str:
    """Returns the text of a program for DOS, in that of its two charsets which gives words."""
    texts = [body.decode(charset, "replace") for charset in DOS]
    return max(texts, key=lambda text: likelihood("".join(filter(str.isprintable, text[:JUDGED]))))


def moment_in(text: str) -> tuple[date, time | None]:
    """Reads a day, and its time where there is one: 05.10.2026 09:14, 2026-10-05, 20261005. Raises Malformed."""
    written = text.strip()
    if found := DAY_FIRST.fullmatch(written):
        day, month, year = (int(part) for part in found.groups()[:3])
        year += 2000 if year < 100 else 0
    elif found := YEAR_FIRST.fullmatch(written):
        year, month, day = (int(part) for part in found.groups()[:3])
    else:
        raise Malformed(f"{text[:40]!r} is no day.")
    hour, minute, second = (int(part or 0) for part in found.groups()[3:])
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise Malformed(f"{text[:40]!r} is no day.") from None
    return moment.date(), moment.time() if found[4] else None
