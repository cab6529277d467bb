"""Whether two names can be one person's: in another script or order, with initials, short forms, a slip of the pen."""

import re
from functools import lru_cache
from typing import NamedTuple

from crm.text.given_names import table
from crm.text.phonetics import word_key

WORD = re.compile(r"[^\W\d_](?:[^\W\d_]|['’‘ʼ`´](?=[^\W\d_]))*")
INITIAL = re.compile(r"[^\W\d_]\.")
LETTERS_OF_A_SLIP = 4  # shorter words differ by a letter because they are others
LETTERS_OF_A_STEM = 3
ONE_INITIAL = ({"m", "n"}, {"o", "a"}, {"o", "e"})  # Миколайович is Николаевич, Олексійович is Алексеевич
TITLES = """тов тзов фоп пп ооо ип чп прат пат ltd llc inc gmbh fop пан пані панна mr mrs ms dr та і and"""
NOT_A_NAME = frozenset(TITLES.split())
PATRONYMIC = re.compile(
    r"(ович|евич|йович|івна|ївна|овна|евна|ична|ovych|evych|ovich|evich|ivna|yivna|ovna|evna)$", re.I
)


class Word(NamedTuple):
    key: str
    initial: bool
    given: frozenset[int]  # which given names it can be


def agree(one: str, two: str) -> bool | None:
    """Whether they can be one person's; None when one of them says nothing."""
    first, second = words(one), words(two)
    if not first or not second:
        return None
    if one == two:
        return True if any(not word.initial for word in first) else None
    if of_two_fathers(one, two):
        return False
    if len(first) > len(second):
        first, second = second, first
    pairs = matched(first, second)
    if not any(not a.initial and not b.initial for a, b in pairs):
        return None if len(pairs) == len(first) else False  # initials alone are many people's
    if len(pairs) == len(first):
        return True
    # What both have may be a given name, which stays when the other is changed, or a family's name.
    of_given = any(a.given and b.given for a, b in pairs)
    left = (
        [a for a in first if all(a is not x for x, _ in pairs)],
        [b for b in second if all(b is not y for _, y in pairs)],
    )
    others = any(a.given and b.given for a in left[0] for b in left[1])
    return of_given and not others


def renamed(one: str, two: str) -> bool:
    """Whether they agree only in part, and each has one more word: of two whole names, one of them was changed,
    or they are two people's."""
    first, second = words(one), words(two)
    pairs = matched(first, second)
    return bool(pairs) and len(pairs) < min(len(first), len(second))


def called(name: str, text: str) -> bool:
    """Whether a text holds a given name of somebody."""
    return any(one.given & other.given for one in words(name) for other in words(text))


def same(one: str, two: str) -> bool:
    """Whether both tell a whole name, and it is the same."""
    first, second = words(one), words(two)
    if of_two_fathers(one, two):
        return False
    whole = min(len(first), len(second)) >= 2 and not any(word.initial for word in (*first, *second))
    return whole and len(first) == len(second) == len(matched(first, second, slips=False))


def of_two_fathers(one: str, two: str) -> bool:
    """Whether both tell a father's name or its initial, and the two cannot be one: Петрович and Іванович."""
    first, second = father(one), father(two)
    if first is None or second is None:
        return False
    if first.given and second.given:
        return first.given.isdisjoint(second.given)
    letters = {first.key[0], second.key[0]}
    return bool(first.initial or second.initial) and len(letters) == 2 and letters not in ONE_INITIAL


@lru_cache(maxsize=16_384)
def father(name: str) -> Word | None:
    """The father's name in a whole one: of whom he can be, or its initial, which is the second one."""
    parts = parts_of(name)
    if len(parts) < 3:
        return None
    initials = [part for part in parts if len(part) == 1]
    for part in parts:
        if (stem := PATRONYMIC.sub("", part)) != part and len(key := word_key(stem)) >= LETTERS_OF_A_STEM:
            forms = (known for form, known in table().items() if form.startswith(key) or is_stem(form, key))
            return Word(key, False, frozenset[int]().union(*forms))
    return Word(word_key(initials[1]), True, frozenset()) if len(initials) == 2 and word_key(initials[1]) else None


def parts_of(name: str) -> list[str]:
    """Without titles and kinds of firms. "І." is an initial, and "і" is none."""
    found = WORD.finditer(name)
    return [one[0] for one in found if one[0].casefold() not in NOT_A_NAME or INITIAL.match(name, one.start())]


def is_stem(form: str, key: str) -> bool:
    return len(form) >= LETTERS_OF_A_STEM and key.startswith(form)


@lru_cache(maxsize=16_384)
def words(name: str) -> tuple[Word, ...]:
    """Without titles and kinds of firms; where there is more to go by, also without the father's name or initial."""
    parts = parts_of(name)
    if len(parts) > 2:
        parts = [part for part in parts if not PATRONYMIC.search(part)] or parts
    first_initial = next((part for part in parts if len(part) == 1), "")
    parts = [part for n, part in enumerate(parts) if len(part) > 1 or n == parts.index(first_initial)]
    known = table()
    keys = ((word_key(part), len(part) == 1) for part in parts)
    return tuple(Word(key, initial, known.get(key, frozenset())) for key, initial in keys if key)


def matched(first: tuple[Word, ...], second: tuple[Word, ...], slips: bool = True) -> list[tuple[Word, Word]]:
    """Pairs each word with at most one of the other name, the surest pairs first: so the two may change places."""
    pairs: list[tuple[Word, Word]] = []
    for a, b in sorted(((a, b) for a in first for b in second if alike(a, b, slips)), key=sureness):
        if all(a is not x and b is not y for x, y in pairs):
            pairs.append((a, b))
    return pairs


def sureness(pair: tuple[Word, Word]) -> tuple[bool, bool, str, str]:
    """Whole words come before initials, initials of both before one with a whole word, equal words before alike."""
    one, two = sorted(pair)
    return one.initial or two.initial, one.initial != two.initial or one.key != two.key, one.key, two.key


def alike(one: Word, two: Word, slips: bool) -> bool:
    if one.initial or two.initial:
        return one.key.startswith(two.key) or two.key.startswith(one.key)
    if one.key == two.key or one.given & two.given:
        return True
    if not slips or (one.given and two.given):
        return False
    if (one.given or two.given) and (one.key[0] != two.key[0] or of_two_genders(one.key, two.key)):
        return False  # Ігор and Єгор are no slip, even where one of them is not in the table
    return min(len(one.key), len(two.key)) >= LETTERS_OF_A_SLIP and slip(one.key, two.key)


def of_two_genders(one: str, two: str) -> bool:
    """Whether a given name has the ending of the other gender: Роман and Романа, Mario and Maria."""
    if len(one) > len(two):
        one, two = two, one
    if len(one) < len(two):
        return two[:-1] == one and two[-1] in "ae"
    return one[:-1] == two[:-1] and {one[-1], two[-1]} == {"a", "o"}


def slip(one: str, two: str) -> bool:
    """Whether one letter is missing, too many or another, or two neighbours have changed places."""
    if len(one) > len(two):
        one, two = two, one
    start = next((n for n, (a, b) in enumerate(zip(one, two, strict=False)) if a != b), len(one))
    if len(one) < len(two):
        return len(two) - len(one) == 1 and one[start:] == two[start + 1 :]
    swapped = one[start : start + 2] == two[start : start + 2][::-1] and one[start + 2 :] == two[start + 2 :]
    return swapped or one[start + 1 :] == two[start + 1 :]
