"""What somebody types into a search, read as words to look for."""

import re
from dataclasses import dataclass
from typing import Any

from api.errors import BadInput
from crm.projection import Projection
from crm.spelling import key

LONGEST, WORDS = 200, 6  # characters of a text; words of it that are looked for
NUMBER = re.compile(r"\s*([dд#№]\s*-?)?\s*(\d{1,18})\s*", re.IGNORECASE)
PHONE = re.compile(r"[\s()+\-.\d]+")
PART_OF_PHONE = 4  # digits
VOWELS = "aeiou"


@dataclass(frozen=True)
class Asked:
    """`words` are keys, in which names are compared; `number` is that of a deal, if the text can be one."""

    words: tuple[str, ...]
    number: int | None = None

    @property
    def patterns(self) -> list[str]:
        """What LIKE finds: beginnings of words, any part of a number. A key has none of its special characters."""
        return [f"%{word}%" if part_of_phone(word) else f"% {word}%" for word in self.words]

    @property
    def query(self) -> str:
        """For a word index. In long texts an ending is not looked at: доставку is found by доставка."""
        return " & ".join(f"'{stem(word)}':*" for word in self.words)


def asked(text: str) -> Asked:
    """Raises BadInput when there is too little or too much to look for."""
    if len(text) > LONGEST:
        raise BadInput(f"`text` has {len(text)} characters; a search takes up to {LONGEST}.")
    found = NUMBER.fullmatch(text)
    number = int(found[2]) if found else None
    if found and found[1]:  # D-7 is said of a deal alone
        return Asked((), number)
    digits = re.sub(r"\D", "", text) if PHONE.fullmatch(text) else ""
    words = (digits.lstrip("0"),) if len(digits) >= PART_OF_PHONE else tuple(dict.fromkeys(key(text).split()))[:WORDS]
    words = tuple(word for word in words if word)
    if number is None and not any(len(word) > 1 for word in words):
        raise BadInput("There is too little in `text` to look for: give two letters, four digits or a deal's number.")
    return Asked(words, number)


def part_of_phone(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) >= PART_OF_PHONE - 1


def stem(word: str) -> str:
    short = word.rstrip(VOWELS)
    return short if len(word) > 4 and len(short) > 2 else word


def why(asked: Asked, projection: Projection[Any], row: dict[str, Any]) -> list[str]:
    """Fields that hold one of the words; of a misspelt one, the field most like it."""
    names = projection.found_by or (projection.found_by_words,)
    keys = {name: " " + key(written(row[name])) for name in names}
    found = [name for name, text in keys.items() if any(holds(text, word) for word in asked.words)]
    if not found and asked.number is None:
        found = [max(keys, key=lambda name: likeness(keys[name], asked.words))]
    return found + (["number"] if asked.number is not None and row.get("number") == asked.number else [])


def holds(text: str, word: str) -> bool:
    return (word if part_of_phone(word) else f" {stem(word)}") in text


def written(value: Any) -> str:
    return value if isinstance(value, str) else " ".join(value)


def likeness(text: str, words: tuple[str, ...]) -> float:
    """How many of the words' runs of three letters the text has, 0 to 1."""
    runs = {padded[n : n + 3] for word in words for padded in [f"  {word} "] for n in range(len(padded) - 2)}
    return sum(run in f" {text} " for run in runs) / max(1, len(runs))
