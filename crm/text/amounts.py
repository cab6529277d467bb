"""Sums as people write them in a form: what is certain is read, a range or a guess is not."""

import re
from decimal import Decimal

from crm.currencies import DECIMALS, currency_named, currency_of
from crm.errors import Malformed

_LONGEST = 64
_GROUPED = re.compile(r"[0-9]{1,3}(?P<mark>[\s'’.,])[0-9]{3}(?:(?P=mark)[0-9]{3})*(?P<rest>[.,][0-9]+)?")
_PLAIN = re.compile(r"[0-9]+(?:[.,][0-9]+)?")
_PARTS = re.compile(r"(?P<before>[^0-9+\-.,]*)(?P<sign>[+-]?)(?P<number>[0-9][0-9.,' ]*)(?P<after>[^0-9]*)")
_COINS = re.compile(
    r"(?P<whole>[0-9][0-9 ]*?) ?(?P<currency>[^0-9 ][^0-9]*?) ?(?P<coins>[0-9]{1,2}) ?(?P<coin>[^0-9 ]+)"
)
_COIN_NAMES = {
    "UAH": r"коп|копі?йк[аиі]|копійок|копеек|kop",
    "USD": r"цент(?:и|ів|ов|а)?|cents?|c|ct",
    "EUR": r"цент(?:и|ів|ов|а)?|(?:euro)?cents?|c|ct",
    "PLN": r"gr|грош(?:і|ів|ей|а)?|grosz(?:y|e)?",
    "GBP": r"p|pence|пенс(?:и|ів|ов)?",
}
_LABEL = re.compile(
    r"(?:загальн[аи]|общая|до сплати|к оплате|сума|сумма|разом|всього|итого|ціна|цена|вартість|стоимость|бюджет|total"
    r"|sum|amount|price|razem|suma|cena|kwota)(?: замовлення| заказа| до сплати| к оплате)?[ :=]*"
)
_PERIOD = re.compile(
    r" ?(?:/|\bна\b|\bв\b|\bза\b|\bper\b|\ba\b) ?(?:місяць|місяця|міс|месяц|мес|month|mth|mo|рік|year|yr|miesiąc|mies"
    r"|rok)\.?$"
    r"| (?:щомісяця|щомісячно|ежемесячно|monthly)$"
)
_TIMES = re.compile(
    r"(?P<thousand>тисяч[аіу]?|тис|тысяч[аиу]?|тыс|tys|k|к)\b\.?|(?P<million>мільйон(?:и|ів)?|млн|mln)\b\.?"
)
_DASHES = str.maketrans("−–—‐‑‒’`ʼ´", "------''''")
_ENGLISH = frozenset(("USD", "GBP", "CAD", "AUD", "NZD"))  # where a comma before three digits groups


def number_of(written: str, decimals: int) -> Decimal:
    """Digits with marks between them, without sign. Raises Malformed for what can be read in two ways."""
    refusal = f"{written[:_LONGEST]!r} cannot be read as one certain sum of money."
    grouped, plain = _GROUPED.fullmatch(written), _PLAIN.fullmatch(written)
    # "1,234" may be a thousand or one and a bit; only a dot in a currency of three decimals is surely a decimal mark,
    # and where there are no decimals any mark groups.
    if grouped and plain and not written.startswith("0") and not (decimals == 3 and "." in written):
        if decimals:
            raise Malformed(refusal)
        plain = None
    if not plain:
        if not grouped or written.startswith("0") or (grouped["rest"] or "x")[0] == grouped["mark"]:
            raise Malformed(refusal)
        whole = written[: grouped.start("rest")] if grouped["rest"] else written
        written = re.sub(r"[^0-9]", "", whole) + (grouped["rest"] or "")
    return Decimal(written.replace(",", "."))


def sum_in(text: str, currency: str) -> tuple[Decimal, str] | None:
    """The sum in major units and its currency. Raises Malformed, or is None, for what is not certain."""
    if len(text) > _LONGEST:
        return None
    text = " ".join(text.replace("&nbsp;", " ").translate(_DASHES).split()).strip(' "«»“”=').casefold()
    if (coins := _COINS.fullmatch(text)) and (exact := _with_coins(coins, currency)):
        return exact
    parts = _PARTS.fullmatch(text)
    if not parts or (parts["sign"] and parts["before"]):
        return None
    before, after = parts["before"], parts["after"]
    if before:
        before = _LABEL.sub("", before, count=1).strip(" :=")
    if after:
        after = _PERIOD.sub("", after).strip(" .!;:")
    written = parts["number"].rstrip(" .,'")
    if after.startswith("-"):  # a price tag: 1250,- Kč
        if not parts["number"].rstrip().endswith((".", ",")):
            return None
        after = after.lstrip("- ")
    times = 1
    if after and (multiple := _TIMES.match(after)):
        times, after = 1_000 if multiple["thousand"] else 1_000_000, after[multiple.end() :].strip(" .")
    if (code := _agreed(before, after, currency)) is None:
        return None
    english = bool(before) and code in _ENGLISH and written.count(",") == 1 and "." not in written
    if english and re.fullmatch(r"[0-9]{1,3},[0-9]{3}", written):
        written = written.replace(",", "")
    if _doubtful(written, code):
        return None
    number = number_of(written, DECIMALS[code] + (3 if times > 1 else 0)) * times
    return -number if parts["sign"] == "-" else number, code


def _doubtful(written: str, code: str) -> bool:
    """Leading zeros are of no sum; three decimals may be a thousand whose other mark was left out."""
    leading = written.startswith("0") and not re.fullmatch(r"0(?:[.,][0-9]+)?", written)
    return leading or bool(DECIMALS[code] < 3 and re.fullmatch(r"[0-9]{4,}[.,][0-9]{3}", written))


def _with_coins(parts: re.Match[str], currency: str) -> tuple[Decimal, str] | None:
    code = currency_named(parts["currency"], currency)
    coin = parts["coin"].strip(" .")
    if code not in _COIN_NAMES or not re.fullmatch(_COIN_NAMES[code], coin) or parts["whole"].startswith("0"):
        return None
    whole = number_of(parts["whole"].strip(), DECIMALS[code])
    return whole + Decimal(int(parts["coins"])).scaleb(-2), code


def _agreed(before: str, after: str, currency: str) -> str | None:
    """The one currency that is named, or the one that is meant; None for other words and for two currencies."""
    named = {currency_named(word, currency) for word in (before, after) if word}
    if len(named) > 1 and "$" in (before, after):  # "$1250 CAD"
        named = {currency_named(word, after.upper() if before == "$" else before.upper()) for word in (before, after)}
    if None in named or len(named) > 1:
        return None
    return next(iter(named)) if named else currency_of(currency)
