"""A number as people write it: blanks between thousands, a comma or a point, a unit behind."""

import re
from decimal import Decimal

LONGEST = 30  # digits before or behind the point
LONGEST_TEXT = 100
BLANKS = re.compile(r"[\s\u00a0\u202f\u2009'’]")
UNIT = re.compile(
    r"(?P<number>.*[0-9])\s*(?P<unit>[^\W\d_][^\W\d_]{0,9}[²³]?\.?|(?:[mcdk]?m|[мсдк]?м)[23]\.?|%|°|[€$₴£])",
    re.IGNORECASE,
)
TIMES = frozenset("тис тыс тисяч тысяч k к млн млрд мільйон мільйонів mln million thousand e е".split())  # noqa: SIM905
GROUPED = re.compile(r"[0-9]{1,3}([\s\u00a0\u202f\u2009'’][0-9]{3})+([.,][0-9]+)?")
PLAIN = re.compile(r"[0-9]+([.,][0-9]+)?")
WESTERN = re.compile(r"[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)|[0-9]{1,3}(,[0-9]{3}){2,}")
EASTERN = re.compile(r"[0-9]{1,3}(\.[0-9]{3})+(,[0-9]+)|[0-9]{1,3}(\.[0-9]{3}){2,}")
THOUSANDS_OR_NOT = re.compile(r"[1-9][0-9]{0,2}[,.][0-9]{3}")


def number_in(text: str) -> Decimal | None:
    """With all its digits; None when it is not certainly one number: '1,500' and '1.500' may be one and a half."""
    if len(text) > LONGEST_TEXT:
        return None
    text = text.strip().replace("−", "-").replace("–", "-")
    if (found := UNIT.fullmatch(text)) and found["unit"].strip(".").casefold() not in TIMES:
        text = found["number"]
    sign = "-" if text.startswith("-") else ""
    bare = text.removeprefix("-").removeprefix("+").strip()
    if WESTERN.fullmatch(bare):
        bare = bare.replace(",", "")
    elif EASTERN.fullmatch(bare):
        bare = bare.replace(".", "").replace(",", ".")
    elif THOUSANDS_OR_NOT.fullmatch(bare) or not (GROUPED.fullmatch(bare) or PLAIN.fullmatch(bare)):
        return None
    else:
        bare = BLANKS.sub("", bare).replace(",", ".")
    whole, _, rest = bare.partition(".")
    if max(len(whole), len(rest)) > LONGEST:
        return None
    digits = f"{sign}{whole.lstrip('0') or '0'}{'.' + rest if rest else ''}"
    return Decimal(digits)
