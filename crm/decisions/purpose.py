"""Which deals a payment's purpose names: people write "угода 7", "D-7", "замовлення №7", "order #7, 8"."""

import re

MOST = 20  # numbers that are looked for; a purpose that names more names no deal

# What else has numbers: contracts, acts, receipts, flats, cards, telephones.
OTHER = (
    r"(?:дог(?:ов[оі]р\w{0,4})?|контракт\w{0,3}|акт\w{0,3}|накладн\w{0,3}|квитанц\w{0,3}|чек\w{0,3}|поліс\w{0,3}"
    r"|кв(?:артир\w{0,3})?|картк\w{0,3}|тел\w{0,8}|contract|act|receipt)"
)
WORD = r"(?:угод\w{0,3}|замовленн?\w{0,3}|рахун\w{0,4}|сделк\w{0,2}|заказ\w{0,2}|сч[её]т\w?|deal|order|invoice)"
MARK = r"(?:№|#|[DД]\s?[-–])"
SIGN = rf"(?:{MARK}|no\.?|номер)"
NUMBER = r"[0-9]{1,9}(?![0-9]|[.,/–-][0-9]|\s?(?:грн|uah|₴|usd|\$|eur|€|шт))"
NEXT = rf"\s?(?:,|;|\+|&|та|і|й|и|and)\s?(?:{SIGN}\s?)?{NUMBER}"
NAMED = re.compile(
    rf"(?<!\w){OTHER}\.?\s?(?:№|#|no\.?)?\s?[\w/+-]{{0,30}}[0-9][\w/-]{{0,30}}"  # passed over
    rf"|(?<!\w)(?:{WORD}[\s:]{{0,3}}(?:{SIGN}\s?)?|{MARK}\s?)(?P<numbers>{NUMBER}(?:{NEXT})*)",
    re.IGNORECASE,
)
IS_NUMBER = re.compile(r"\s*[DД]\s?[-–]\s?([0-9]{1,9})\s*", re.IGNORECASE)


def numbers_in(purpose: str) -> list[int]:
    """Each once, smallest first. A bare number is a sum or a date as often as a deal: it names none."""
    if not any(c.isdigit() for c in purpose):
        return []
    found = {int(n) for match in NAMED.finditer(purpose[:2000]) for n in re.findall("[0-9]+", match["numbers"] or "")}
    return sorted(found) if len(found) <= MOST else []


def number_of(reference: str) -> int | None:
    """The number of the deal when a reference is nothing but that: D-7."""
    match = IS_NUMBER.fullmatch(reference)
    return int(match[1]) if match else None
