"""Whether two names may be one person's or firm's: in any order, with initials, in Latin or Cyrillic letters."""

import re
import unicodedata
from enum import IntEnum
from functools import lru_cache


class Likeness(IntEnum):
    """How far two names agree."""

    OTHER = 0  # they have nothing in common
    UNKNOWN = 1  # one of them says too little
    PART = 2  # a name in common and another that is not: a family, or one that was renamed
    SAME = 3


# What says what somebody is, not who.
FORMS = frozenset(
    re.findall(
        r"\w+",
        "фоп фл тов тзов пп пат прат ат дп кп вп спд фг осбб чп ооо зао оао ип го бо фк"
        " sp spolka zoo z o oo ltd llc inc gmbh kg ag co fop tov pp as sro",
    )
)
FORMS_IN_FULL = re.compile(
    r"товариство\s+з\s+обмеженою\s+відповідальністю|фізична\s+особа\s*-?\s*підприємець|приватне\s+підприємство"
    r"|акціонерне\s+товариство|приватне\s+акціонерне\s+товариство|общество\s+с\s+ограниченной\s+ответственностью"
    r"|spółka\s+z\s+ograniczoną\s+odpowiedzialnością|sp\.?\s*z\s*o\.?\s*o\.?|limited\s+liability\s+company"
)
# One Latin letter or two for each Cyrillic one; spellings of passports and banks fall together in `skeleton`.
LATIN = {
    **dict(zip("абвгґдезийклмнопрстуфіїєё", "abvhgdezyiklmnoprstufiiee", strict=True)),
    **{"ж": "zh", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ю": "iu", "я": "ia", "э": "e", "ы": "y"},
    **{"ь": "", "ъ": "", "’": "", "'": "", "ʼ": "", "ł": "l"},
}
TO_LATIN = str.maketrans(LATIN)
WORD = re.compile(r"[a-z0-9]+")
SPELLINGS = (("shch", "sc"), ("sch", "sc"), ("zgh", "zh"), ("kh", "h"), ("g", "h"), ("x", "ks"), ("w", "v"), ("j", "i"))


@lru_cache(maxsize=8192)
def words_of(name: str) -> tuple[str, ...]:
    """The words of a name as they are compared, forms of firms left out."""
    text = FORMS_IN_FULL.sub(" ", name.casefold())
    bare = [word for word in re.findall(r"[^\W_]+(?:['’ʼ][^\W_]+)*", text) if word not in FORMS]
    return tuple(filter(None, (skeleton(word) for word in bare)))


def skeleton(word: str) -> str:
    """Latin letters without marks, where spellings that differ by custom only are the same."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.translate(TO_LATIN)) if not unicodedata.combining(c))
    plain = "".join(WORD.findall(plain))
    for spelling, one in SPELLINGS:
        plain = plain.replace(spelling, one)
    plain = re.sub(r"[iy]+", "i", plain)
    plain = re.sub(r"i(?=[aeou])", "", plain)
    return re.sub(r"(.)\1", r"\1", plain)


@lru_cache(maxsize=8192)
def likeness(one: str, other: str) -> Likeness:
    """An initial stands for any name that begins with it. A patronymic that only one has is no difference."""
    few, many = sorted((words_of(one), words_of(other)), key=len)
    if not few:
        return Likeness.UNKNOWN
    left = list(many)
    whole = initials = missing = 0
    for word in sorted(few, key=len, reverse=True):  # whole words first
        if word in left:
            left.remove(word)
            whole += len(word) > 1
            initials += len(word) == 1
        elif found := next((other for other in left if initial(word, other)), None):
            left.remove(found)
            initials += 1
        else:
            missing += len(word) > 1
    if not whole:
        return Likeness.OTHER if missing else Likeness.UNKNOWN
    if missing:
        return Likeness.PART
    return Likeness.SAME if whole + initials > 1 else Likeness.UNKNOWN


def initial(one: str, other: str) -> bool:
    """One of them is the other's first letter."""
    return 1 in (len(one), len(other)) and one[0] == other[0]
