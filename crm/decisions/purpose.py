"""Which deals a payment's purpose names: people write "угода 7", "D-7", "замовлення №7", "order #7, 8"."""

import re

MOST = 20  # numbers that are looked for; a purpose that names more names no deal

# Documents that have numbers too, but not deals' numbers.
OTHER_PAPER = r"(?:дог(?:ов[оі]р\w*)?|контракт\w*|акт\w*|накладн\w*|квитанц\w*|чек\w*|поліс\w*|contract|act|receipt)"
WORD = r"(?:угод\w{0,3}|замовленн?\w{0,3}|рахун\w{0,4}|сделк\w{0,2}|заказ\w{0,2}|сч[её]т\w?|deal|order|invoice)"
SIGN = r"(?:№|#|no\.?|номер|[DД]\s?[-–])"
NUMBER = r"[0-9]{1,9}(?![0-9]|[.,/–-][0-9]|\s?(?:грн|uah|₴|usd|\$|eur|€|шт))"
NEXT = rf"\s?(?:,|;|\+|&|та|і|й|и|and)\s?(?:{SIGN}\s?)?{NUMBER}"
NAMED = re.compile(
    rf"(?<!\w){OTHER_PAPER}\.?\s*(?:№|#|no\.?)?\s*[\w/-]*[0-9][\w/-]*"  # passed over
    rf"|(?<!\w)(?:{WORD}[\s:]*(?:{SIGN}\s?)?|{SIGN}\s?)(?P<numbers>{NUMBER}(?:{NEXT})*)",
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
