"""What the words of a payment say: which deals they name, which numbers may be an order's, which are other things'.

"D-7" and "угода 7" name a deal. "замовлення №7", "рахунок 7", "#7" may name a deal, or an order of a shop, or nothing
of ours. "школа №7" has a number of its own: a number belongs to the word before it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

from crm.decisions.purpose_words import (
    ACCOUNT,
    AFTER,
    BETWEEN,
    CALLED_SO,
    DEAL,
    FORMED,
    MONTH,
    NEUTRAL,
    NOT_A_CUSTOMERS,
    ORDER,
    OTHER,
    OTHER_DEAL,
    PAPER,
    SIGN,
    UNIT,
)
from crm.state.references import DASHES, reference_of

MOST = 20  # numbers that are looked for; words with more name nothing
LONGEST = 1000  # characters that are read, and kept of a payment that waits
LONGEST_NUMBER = 9  # digits
LONG_NUMBER = 5  # digits: nobody writes them by chance where an order has just this number


class Words(NamedTuple):
    """What was read: numbers of deals; numbers of orders or bills as they were written; long numbers without a word,
    and numbers of orders that have parts; references with letters or parts, as `reference_of` gives them; numbers of
    other things; which orders' numbers stand in one list; what kind of money that is no customer's."""

    deals: tuple[int, ...] = ()
    orders: tuple[str, ...] = ()
    bare: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    listed: frozenset[str] = frozenset()
    not_a_customers: str = ""


NOTHING = Words()
DASH = f"[{DASHES}]"
HAS_DIGIT = re.compile(r"\d")
NUMBER = re.compile(rf"(?<![\d])\d{{1,{LONGEST_NUMBER}}}(?!\d)")
# A book-keeping program pads with zeros: СФ-0000012.
PADDED_AFTER = re.compile(rf"(?<!\w)[^\W\d_]{{1,4}}{DASH}?\Z")
OWN = re.compile(rf"(?<!\w)[dд](?:\s?[{DASHES}_]\s?(?:№|#)?|\s?(?:№|#))\s?\Z")
OWN_APART = re.compile(r"(?<!\w)d\s\Z")  # "D 7"; a Cyrillic д before a blank is a house's
# What the letter may be the end of: 12/D-7, R&D-7, А.Д-7. A longer word before it is only written without a blank.
JOINED = re.compile(
    rf"(?<!\w)(?:(?!(?:{NEUTRAL}|від|для|пдв|ндс|грн|uah|usd|eur)\W)[^\W\d_]{{1,3}}[{DASHES}/\\&]|[^\W\d_]\."
    rf"|(?<!\d\.\d\d\.)\w*\d[{DASHES}/\\&])\Z"
)
OWN_AGAIN = re.compile(rf"\s?[{DASHES}/&+]\s?[dд]\s?{DASH}?\s?\d")
BEHIND_OWN = re.compile(rf"(?<!\w)[dд]\s?{DASH}?\s?\d+(?:\s?(?:[{DASHES},;/&+]|та|і|й|и|and|und|i|oraz))?\s?\Z")
OTHER_DEAL_BEFORE = re.compile(rf"(?<!\w){OTHER_DEAL}\.?[\s-]{{1,2}}\Z")
OWN_ENDS = frozenset(f"{DASHES}dд№#_")
OWN_BARE = re.compile(r"(?<!\w)[dд]\Z")
OWN_WORD = re.compile(rf"(?<!\w)(?:{DEAL})[\s:=.(«\"_]{{0,3}}{DASH}?\s?(?:(?:{SIGN})[\s.:]{{0,2}})?\Z")
ORDER_WORD = re.compile(
    rf"(?<!\w)(?P<word>(?:{ORDER})\.?{BETWEEN})[\s:.(«\"_]{{0,3}}{DASH}?\s?(?P<sign>(?:{SIGN})[\s.:]{{0,2}})?\Z"
)
ORDER_NEAR = re.compile(rf"(?<!\w)(?:{ORDER})(?:\.|\s)[^,;:.!?()\n]{{0,40}}\Z")
SIGN_ENDS = frozenset("№#nrº°.")
SIGNED = re.compile(r"[№#]\s?\Z")
BARE_SIGN = re.compile(r"(?P<sign>[№#]|(?<!\w)(?:n[º°]?\.?|nr\.?|no\.))\s?\Z")
LAST_WORD = re.compile(r"([^\W\d_][\w'’ʼ/-]*)\.?[\s«»\"]*\Z")
NEUTRAL_WORD = re.compile(rf"(?:{NEUTRAL})")
OTHER_BEFORE = re.compile(rf"(?<!\w)(?:{OTHER})\.?[\s:]{{0,2}}(?:(?:[№#]|n[ºo°]?|nr)\.?\s?)?\Z")
CALLED_SO_BEFORE = re.compile(rf"(?<!\w)(?:{CALLED_SO}|(?<!\d\s)(?<!\d-\w\s)(?:{FORMED}))\.?[\s:]{{0,2}}\Z")
PAPER_BEFORE = re.compile(rf"(?<!\w)(?:{PAPER})\.?[\s:]{{0,2}}(?:(?:[№#]|nr)\.?\s?)?\Z")
ACCOUNT_BEFORE = re.compile(rf"(?:{ACCOUNT})[ :.]{{0,2}}(?:№|#|n[ºo°]?|nr)?[ :.]{{0,2}}\Z")
LONGER = re.compile(rf"[.,/\\_:]\d|{DASH}\w|/\w")
NOTE = re.compile(r"/([^\W\d_]{3,})")
PARTS = re.compile(r"/\d")
MEASURED = re.compile(rf"\s?(?:{UNIT})")
DAY = re.compile(rf"\s(?:{MONTH})\w*")
MORE_DIGITS = re.compile(r"\s\d")
FIRST_WORD = re.compile(r"\s*([^\W\d_](?:[^\W\d_]|['’ʼ/])*)")
AFTER_WORD = re.compile(rf"(?:{AFTER})")
NEXT = re.compile(
    rf"\s?(?:,|;|\+|&|та|і|й|и|and|und|i|oraz)\s?(?:(?:{SIGN})[\s.]?|[dд]{DASH})?(?P<number>\d{{1,{LONGEST_NUMBER}}})(?!\d)"
)
NEXT_SIGNED = re.compile(rf"\s(?:№|#)\s?(?P<number>\d{{1,{LONGEST_NUMBER}}})(?!\d)")  # "угоди №7 №8"
# Between the numbers of one list: "рахунки 7, 8", "замовлення 7 і замовлення 8". "рахунок 7, замовлення 8" may be one.
LISTED = re.compile(
    rf"\s?(?:(?:,|;|\+|&|та|і|й|и|and|und|i|oraz)\s?|(?=[№#]))(?:(?:{SIGN})[\s.]?)?"
    rf"|\s?(?:\+|&|та|і|й|и|and|und|i|oraz)\s?(?:{ORDER})\.?\s?(?:(?:{SIGN})[\s.]?)?"
)
# Some banks take no blanks: "оплата_D-7_Коваль". Before a digit it may join parts of a reference.
UNDERSCORE = re.compile(r"_(?!\d)")
NOT_OURS = re.compile(rf"(?<!\w)(?:{NOT_A_CUSTOMERS})")
TOKEN = re.compile(r"(?<![^\W_])[^\W\d_]*[./\\–—_-]*\d(?:[\w./\\–—-]*[^\W_])?")
CREDITOR = re.compile(r"(?<!\w)rf\d\d(?:\s?[0-9a-z]{4}){1,5}(?:\s?[0-9a-z]{1,3})?(?!\w)")
LETTERS_THEN_NUMBER = re.compile(r"(?<!\w)([a-z]{1,5})\s(\d{3}[\w/-]*)(?!\w)((?:\s\d{2,})*)")
DATE = re.compile(
    r"(?:\d{1,4}[./-]\d{1,2}(?:[./-]\d{1,4})?|\d{1,2}[./-]\d{4}|\d{1,2}[./-][ivx]{1,4}[./-]\d{2,4})(?:[рr]\.?)?"
)
IS_NUMBER = re.compile(rf"\s*[DД]\s?{DASH}?\s?([0-9]{{1,{LONGEST_NUMBER}}})\s*", re.IGNORECASE)


def read(purpose: str) -> Words:
    return _read(purpose[:LONGEST]) if HAS_DIGIT.search(purpose) else _without_numbers(purpose)


def _without_numbers(purpose: str) -> Words:
    found = NOT_OURS.search(purpose[:LONGEST].casefold()) if purpose else None
    return Words(not_a_customers=found[0]) if found else NOTHING


@lru_cache(maxsize=8192)
def _read(purpose: str) -> Words:
    written = purpose.replace("\u00a0", " ").replace("\u202f", " ")
    if "_" in written:
        written = UNDERSCORE.sub(" ", written)
    text = written.lower()
    if len(text) != len(written):  # a capital that has two small letters
        text = "".join(low if len(low := c.lower()) == 1 else c for c in written)
    deals: set[int] = set()
    orders: dict[str, None] = {}
    others: dict[str, None] = {}
    bare: dict[str, None] = {}
    listed: set[str] = set()
    kind, until = "", -1
    before, ended = "", 0
    for match in NUMBER.finditer(text):
        start, end = match.span()
        into = kind_of(text[max(0, start - 48) : start], written[end : end + 24])
        if start < until and into != "deal":  # it goes on with what was named before: "угоди 7 та 8"
            into = kind
        if not into and match[0].startswith("00") and PADDED_AFTER.search(text[:start]):
            into = "order"
        if not into and LONGER.match(text, end) and ordered(text[max(0, start - 48) : start]):
            bare[TOKEN.match(text, start)[0]] = None  # type: ignore[index]  # a digit is there
        if into == "deal":
            deals.add(int(match[0]))
        elif into == "order":
            orders[match[0]] = None
            if before and LISTED.fullmatch(text, ended, start):
                listed |= {before, match[0]}
            before, ended = match[0], end
        elif into == "other":
            others[said(text, start, end)] = None
        elif end - start >= LONG_NUMBER and not counted(written[end : end + 24]):
            bare[match[0]] = None
        kind, until = into, -1
        more = NEXT.match(text, end) or (NEXT_SIGNED.match(text, end) if SIGNED.search(text[:start]) else None)
        if into in ("deal", "order") and more and not counted(written[more.end() :][:24]):
            until = more.start("number") + 1
    if len(deals) + len(orders) > MOST:
        deals, orders = set(), {}
    kind = found[0] if (found := NOT_OURS.search(text)) else ""
    references = references_in(purpose.lower())
    return Words(
        tuple(sorted(deals)), tuple(orders), tuple(bare)[:MOST], references, tuple(others)[:5], frozenset(listed), kind
    )


def kind_of(left: str, right: str) -> str:
    """deal, order or other; empty when the number stands in nothing that has numbers."""
    if left[-1:] in "./,:" and left[-2:-1].isdecimal():  # the end of a date or a sum
        return ""
    last = left.rstrip()[-1:]
    if last in OWN_ENDS and (own := OWN.search(left)):
        if ends_another(before := line(left[: own.start()])):
            return "other"
        if CALLED_SO_BEFORE.search(before):
            return "other"
        if PAPER_BEFORE.search(before) and not goes_on(right):
            return "order"
        return "order" if PARTS.match(right) else "" if goes_on(right) else "deal"
    if goes_on(right):
        return ""
    if last in OWN_ENDS and OWN_BARE.search(left) and not ends_another(left[:-1]):
        if alone(left[:-1]) or BEHIND_OWN.search(left[:-1]):
            return "deal"
        return "other" if CALLED_SO_BEFORE.search(line(left[:-1])) else "order"
    if last == "d" and OWN_APART.search(left) and alone(left[:-2]) and not counted(right):
        return "order"
    if own := OWN_WORD.search(left):
        if OTHER_DEAL_BEFORE.search(left[: own.start()]):
            return "other"
        if MEASURED.match(right.lower()) or DAY.match(right.lower()):
            return ""
        return "order" if MORE_DIGITS.match(right) else "deal"
    if word := ORDER_WORD.search(left):
        if ACCOUNT_BEFORE.search(left) or MEASURED.match(right.lower()):
            return "other"
        return "order" if word["sign"] or not counted(right) else "other"
    if last in SIGN_ENDS and (sign := BARE_SIGN.search(left)):
        if MEASURED.match(right.lower()):
            return ""
        near = ORDER_NEAR.search(before := left[: sign.start()]) and not OTHER_BEFORE.search(line(left))
        return "order" if alone(before) or near else "other"
    return "other" if OTHER_BEFORE.search(line(left)) else ""


def line(left: str) -> str:
    """Returns what stands before a number in its own line. What is in the line above may name an order, but takes no
    number away: some banks put the payer there."""
    return left[left.rfind("\n") + 1 :]


def ends_another(before: str) -> bool:
    """The letter is joined to what stands before it: its number is the end of a longer one, such as 12/D-7."""
    return JOINED.search(line(before)) is not None and BEHIND_OWN.search(before) is None


def ordered(left: str) -> bool:
    """A word for an order or a bill, or a sign that stands alone, is right before it: "рах. 2026-17", "№7/2"."""
    sign = BARE_SIGN.search(left)
    return bool(ORDER_WORD.search(left) or (sign and alone(left[: sign.start()])))


def goes_on(right: str) -> bool:
    """The number is only the beginning of something: 12-345, 202,00, 12:30, 2й. "7від 03.11" goes on with a word."""
    if OWN_AGAIN.match(right.lower()):  # "D-7/D-8"
        return False
    if LONGER.match(right):
        note = NOTE.match(right.lower())  # "D-7/аванс"
        return note is None or AFTER_WORD.fullmatch(note[1]) is None
    word = None if right[:1].isspace() else FIRST_WORD.match(right)
    return word is not None and (len(word[1]) < 3 or AFTER_WORD.fullmatch(word[1].lower()) is None)


def alone(before: str) -> bool:
    """No word stands before a number that the number could be of."""
    word = LAST_WORD.search(line(before))
    return word is None or NEUTRAL_WORD.fullmatch(word[1]) is not None


def counted(right: str) -> bool:
    """What follows says how many, how much or when: "2 вікон", "50%", "12 листопада", "067 000 17 42". A name may
    follow any number."""
    if goes_on(right) or MEASURED.match(right.lower()) or MORE_DIGITS.match(right):
        return True
    word = FIRST_WORD.match(right)
    if word is None or AFTER_WORD.fullmatch(word[1].lower()):
        return False
    return not word[1].istitle()


def said(text: str, start: int, end: int) -> str:
    """A number with the word that it belongs to."""
    left = text[max(0, start - 40) : start]
    if own := OWN.search(left) or OWN_BARE.search(left):
        left, start = left[: own.start()], start - len(own[0])
    word = LAST_WORD.search(left.rstrip("№# .:"))
    return f"{word[1]} {text[start:end]}" if word else text[start:end]


def references_in(text: str) -> tuple[str, ...]:
    """What could be an order's or invoice's number with letters or parts: WC-10045, 2026/00123. Only whole ones."""
    found: dict[str, None] = {}
    if "rf" in text:
        found |= {reference_of(match[0]): None for match in CREDITOR.finditer(text)}
    for token in TOKEN.findall(text):
        if distinctive(token):
            found[reference_of(token)] = None
    for letters, number, more in LETTERS_THEN_NUMBER.findall(text):
        # "inv 2026 0077": many banks take no dashes
        for token in (letters + number, *(letters + number + more.replace(" ", by) for by in ("", "-", "/") if more)):
            if distinctive(token):
                found[reference_of(token)] = None
    return tuple(found)[:MOST]


def distinctive(token: str) -> bool:
    """Nobody writes it by chance: it has letters or parts too, and is no date and no deal's number."""
    if len(token) < 5 or token.isdecimal() or DATE.fullmatch(token) or IS_NUMBER.fullmatch(token):
        return False
    characters = [c for c in token if c.isalnum()]
    return len(characters) >= 5 and any(c.isdecimal() for c in characters)


def number_of(reference: str) -> int | None:
    """The number of the deal when a reference is nothing but that: D-7."""
    match = IS_NUMBER.fullmatch(reference)
    return int(match[1]) if match else None
