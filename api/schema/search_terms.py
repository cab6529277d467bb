"""Parses the text of a search into terms."""

import re
from dataclasses import dataclass
from typing import Any

from api.errors import BadInput
from crm.projection import Projection
from crm.text.phonetics import key

LONGEST, WORDS = 200, 6  # characters of a text; words of it that are searched
NUMBER = re.compile(r"\s*([dд#№]\s*-?)?\s*(\d{1,18})\s*", re.IGNORECASE)
PHONE = re.compile(r"[\s()+\-.\d]+")
PART_OF_PHONE = 4  # digits
VOWELS = "aeiou"


@dataclass(frozen=True)
class SearchTerms:
    """The terms of a search: `words` as normalized keys, and `number` if the text can be the number of a deal."""

    words: tuple[str, ...]
    number: int | None = None

    @property
    def patterns(self) -> list[str]:
        """Patterns for LIKE: beginnings of words, and any part of a number. Keys have no special characters of LIKE."""
        return [f"%{word}%" if part_of_phone(word) else f"% {word}%" for word in self.words]

    @property
    def query(self) -> str:
        """A full-text query. Endings are ignored in long texts: доставка finds доставку."""
        return " & ".join(f"'{stem(word)}':*" for word in self.words)


def parse_terms(text: str) -> SearchTerms:
    """Parses a search text. Raises BadInput when it is too short or too long."""
    if len(text) > LONGEST:
        raise BadInput(f"`text` has {len(text)} characters; a search takes up to {LONGEST}.")
    found = NUMBER.fullmatch(text)
    number = int(found[2]) if found else None
    if found and found[1]:  # D-7 can only be a deal
        return SearchTerms((), number)
    digits = re.sub(r"\D", "", text) if PHONE.fullmatch(text) else ""
    words = (digits.lstrip("0"),) if len(digits) >= PART_OF_PHONE else tuple(dict.fromkeys(key(text).split()))[:WORDS]
    words = tuple(word for word in words if word)
    if number is None and not any(len(word) > 1 for word in words):
        raise BadInput("`text` is too short. Give at least two letters, four digits or a deal's number.")
    return SearchTerms(words, number)


def part_of_phone(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) >= PART_OF_PHONE - 1


def stem(word: str) -> str:
    short = word.rstrip(VOWELS)
    return short if len(word) > 4 and len(short) > 2 else word


def matched_fields(terms: SearchTerms, projection: Projection[Any], row: dict[str, Any]) -> list[str]:
    """Returns the fields that contain one of the words; for a typo, the most similar field."""
    names = projection.found_by or (projection.found_by_words,)
    keys = {name: " " + key(as_text(row[name])) for name in names}
    found = [name for name, text in keys.items() if any(has_word(text, word) for word in terms.words)]
    if not found and terms.number is None:
        found = [max(keys, key=lambda name: similarity(keys[name], terms.words))]
    return found + (["number"] if terms.number is not None and row.get("number") == terms.number else [])


def has_word(text: str, word: str) -> bool:
    return (word if part_of_phone(word) else f" {stem(word)}") in text


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)


def similarity(text: str, words: tuple[str, ...]) -> float:
    """Returns which part of the words' trigrams the text contains, 0 to 1."""
    runs = {padded[n : n + 3] for word in words for padded in [f"  {word} "] for n in range(len(padded) - 2)}
    return sum(run in f" {text} " for run in runs) / max(1, len(runs))
