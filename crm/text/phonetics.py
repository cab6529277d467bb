"""Makes one phonetic key of a name's Ukrainian, Russian and Latin spellings.

Ukrainian letters go the way of the official table (resolution 55 of the Cabinet of Ministers, 2010), Russian ones
alongside. Then what people spell in several ways is made one: y, j, и, й, ї and і; g, h, kh, г and х; c and k; w and
v; shch, sch and sh; ie, ye, є and e; doubled letters. Apostrophes and soft signs are left out. A key is for comparing
with another key, never for showing.

The same steps exist as an expression of Postgres, for rows that were there before they could be searched; it takes ten
times as long. Both come from the tables here and depend on no locale. `VERSION` is raised with every change of a step:
columns of the new name are then filled alongside the old ones.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from string import ascii_letters, ascii_lowercase, ascii_uppercase, digits
from unicodedata import combining, normalize

VERSION = 1
COLUMN = f"search_{VERSION}"  # of tables that are searched: what `sound` makes of a row
DROPPED = "'’‘ʼ`´′+ьъЬЪ" + "".join(map(chr, range(0x300, 0x370)))
SPACES = '\t\n\r\xa0!"#$%&()*,-./:;<=>?@[\\]^_{|}~«»„“”–—…№·•'
USUAL = " оаіинветрслкумдпьязбгчйхшжєїщцюфґ" + digits + ascii_lowercase + "+.@,-'" + ascii_uppercase
SINGLE = dict(
    zip(
        "абвгґдеэєзиыійклмнопрстуфхщѓќјљњђћџ" + "gyjwq" + "łøđðßæœıħþ",
        "abvhhdeeeziiiiklmnoprstufhшhkilndчж" + "hiivk" + "loddseeiht",
        strict=True,
    )
)
STEPS = (  # in this order
    *(("ж", "zh"), ("ц", "ts"), ("ч", "tsh"), ("ш", "sh"), ("ю", "iu"), ("я", "ia"), ("x", "ks")),
    *(("shch", "sh"), ("sch", "sh"), ("ch", "tsh"), ("c", "k")),
)
LAST_STEPS = (("kh", "h"), ("ph", "f"), ("tz", "ts"), ("ie", "e"))
NUMBER = re.compile(r"\+?[0-9]+")  # each is another: a cache would forget the words for them
DOUBLED = re.compile(r"([a-z])\1+")


def single(char: str) -> str:
    """One letter as one: without its case and accents, in Latin if a single Latin letter stands for it."""
    plain = "".join(c for c in normalize("NFKD", char.lower()) if not combining(c)) or char
    return SINGLE.get(plain, plain)


def table() -> dict[str, str]:
    """Every letter that one letter stands for; the empty text: it is left out."""
    accented = [*map(chr, range(0xC0, 0x250)), *map(chr, range(0x400, 0x530)), *map(chr, range(0x1E00, 0x1F00))]
    found = {char: single(char) for char in [*ascii_letters, *accented]}
    kept = {char: one for char, one in found.items() if len(one) == 1 and one != char}
    return kept | dict.fromkeys(SPACES, " ") | dict.fromkeys(DROPPED, "")


TABLE = table()
TRANSLATED = str.maketrans(TABLE)


def key(text: str) -> str:
    """Two spellings of a name have one key. A key's key is itself. Spaces stay; what is not known stays as it is."""
    found = text.translate(TRANSLATED)
    for before, after in STEPS:
        found = found.replace(before, after)
    found = last = DOUBLED.sub(r"\1", found)
    for before, after in LAST_STEPS:
        last = last.replace(before, after)
    return found if last == found else DOUBLED.sub(r"\1", last)


@lru_cache(maxsize=65_536)
def word_key(word: str) -> str:
    """People, towns and goods share their words."""
    return key(word)


def phonetic_key(texts: Iterable[str]) -> str:
    """All the texts as one key, each word behind a space."""
    return "".join(
        [
            f" {word.lstrip('+')}" if word[-1] in digits and NUMBER.fullmatch(word) else f" {word_key(word)}"
            for text in texts
            for word in text.split()
        ]
    )


def as_sql(argument: str) -> str:
    """The same as an expression of Postgres over a text.

    `translate` looks through its letters one by one, so the usual ones stand first, also those that stay as they are.
    """
    order = dict.fromkeys(USUAL) | dict.fromkeys(TABLE)
    kept = [char for char in order if TABLE.get(char, char)]
    before, after = "".join(kept), "".join(TABLE.get(char, char) for char in kept)
    dropped = "".join(char for char in order if not TABLE.get(char, char))
    found = f"translate({argument}, {quoted(before + dropped)}, {quoted(after)})"
    for old, new in STEPS:
        found = f"replace({found}, '{old}', '{new}')"
    found = f"regexp_replace({found}, '([a-z])\\1+', '\\1', 'g')"
    for old, new in LAST_STEPS:
        found = f"replace({found}, '{old}', '{new}')"
    return f"regexp_replace({found}, '([a-z])\\1+', '\\1', 'g')"


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
