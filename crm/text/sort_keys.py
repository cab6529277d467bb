"""Makes keys by which names sort as people expect, and which find a name by its beginning.

Case is folded and accents are left out. Cyrillic letters sort in one alphabet, ґ after г and і after и, whatever the
database's collation. Keys are compared byte by byte, and depend on no locale.
"""

from functools import lru_cache
from unicodedata import combining, normalize

from crm.scalars import SortKey

LONGEST = 100  # characters of a name that count: an index row holds 2,704 bytes
LAST = "\U0010ffff"  # above every character of a key
ALPHABET = "абвгґдеєёжзиіїйклмнопрстуўфхцчшщъыьэюя"
LETTERS = dict(zip(ALPHABET, sorted(ALPHABET), strict=True))


@lru_cache(maxsize=4_096)
def sort_key(name: str) -> SortKey:
    """Returns the key of a name. The key of its beginning is the beginning of its key."""
    folded = normalize("NFC", " ".join(name.split())[:LONGEST].casefold())
    return SortKey("".join(map(letters, folded))[:LONGEST])


def letters(letter: str) -> str:
    """Returns what stands for a letter in a key."""
    if letter in LETTERS or letter.isascii():
        return LETTERS.get(letter, letter)
    plain = (part for part in normalize("NFD", letter) if not combining(part) and part != LAST)
    return "".join(LETTERS.get(part, part) for part in plain)
