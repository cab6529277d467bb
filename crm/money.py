"""Money as whole numbers of a currency's smallest unit, read exactly or not at all: no float ever touches it."""

import re
from decimal import Decimal

from crm.errors import Malformed

# ISO 4217: alphabetic and numeric codes, by how many decimals the currency has.
_CODES = {
    0: "BIF108 CLP152 DJF262 GNF324 ISK352 JPY392 KMF174 KRW410 PYG600 RWF646 UGX800 UYI940 VND704 VUV548 XAF950 XOF952"
    " XPF953",
    2: "AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BGN975 BMD060 BND096 BOB068"
    " BOV984 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHE947 CHF756 CHW948 CNY156 COP170 COU970 CRC188"
    " CUP192 CVE132 CZK203 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 GIP292"
    " GMD270 GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360 ILS376 INR356 IRR364 JMD388 KES404 KGS417 KHR116 KPW408"
    " KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480"
    " MVR462 MWK454 MXN484 MXV979 MYR458 MZN943 NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 PAB590 PEN604 PGK598 PHP608"
    " PKR586 PLN985 QAR634 RON946 RSD941 RUB643 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SOS706 SRD968"
    " SSP728 STN930 SVC222 SYP760 SZL748 THB764 TJS972 TMT934 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 USD840 USN997"
    " UYU858 UZS860 VED926 VES928 WST882 XAD396 XCD951 XCG532 YER886 ZAR710 ZMW967 ZWG924",
    3: "BHD048 IQD368 JOD400 KWD414 LYD434 OMR512 TND788",
    4: "CLF990 UYW927",
}
DECIMALS = {code[:3]: decimals for decimals, codes in _CODES.items() for code in codes.split()}
_NUMERIC = {code[3:]: code[:3] for codes in _CODES.values() for code in codes.split()}
_MARKS = {"грн": "UAH", "гривень": "UAH", "гривні": "UAH", "₴": "UAH", "$": "USD", "€": "EUR", "£": "GBP", "zł": "PLN"}

_PARTS = re.compile(r"(?P<before>[^\d+\-−.,]*)(?P<sign>[+\-−]?)(?P<number>\d[\d.,\s'’]*)(?P<after>\D*)")
_GROUPED = re.compile(r"\d{1,3}(?P<mark>[\s'’.,])\d{3}(?:(?P=mark)\d{3})*(?P<rest>[.,]\d+)?")
_PLAIN = re.compile(r"\d+(?:[.,]\d+)?")
_LONGEST = 64
_MAX = 2**63


def currency_of(code: str | int) -> str:
    """The alphabetic ISO 4217 code of either kind of code. Raises Malformed."""
    text = str(code).strip().upper()
    alpha = _NUMERIC.get(text.zfill(3)) if text.isdecimal() else text
    if alpha not in DECIMALS:
        raise Malformed(f"{text[:_LONGEST]!r} is no currency of ISO 4217.")
    return alpha


def to_minor(amount: str | int | Decimal, currency: str) -> int:
    """A sum in major units ("202,00 грн", "1 234,56", "0.01", 5, Decimal("1.1")) in the smallest units of `currency`.

    Raises Malformed for whatever could be read in two ways, has more decimals than the currency, or is past 64 bits.
    """
    decimals = DECIMALS[currency_of(currency)]
    match amount:
        case bool():
            raise Malformed(f"{amount!r} is no sum of money.")
        case int():
            sign, digits, exponent = (amount < 0), abs(amount), 0
        case Decimal():
            sign, digits, exponent = _of_decimal(amount)
        case str():
            sign, digits, exponent = _of_text(amount, currency, decimals)
        case _:
            raise Malformed(f"{amount!r} is no exact sum of money: give text, a whole number or a decimal.")
    if not digits:
        return 0
    shift = exponent + decimals
    if abs(shift) > _LONGEST:
        raise Malformed("This sum of money is past all measure.")
    scale: int = 10 ** abs(shift)
    minor, lost = (digits * scale, 0) if shift >= 0 else divmod(digits, scale)
    if lost:
        raise Malformed(f"{str(amount)[:_LONGEST]!r} has more decimals than {currency} has ({decimals}).")
    return within_64_bits(-minor if sign else minor)


def within_64_bits(minor: int) -> int:
    """Raises Malformed."""
    if not -_MAX <= minor < _MAX:
        raise Malformed("The sum is past the largest that can be kept (64 bits).")
    return minor


def money_text(minor: int, currency: str) -> str:
    """The exact sum as "1234.56 UAH"; `to_minor` reads it back. Of a currency that is none, in its smallest unit."""
    if (decimals := DECIMALS.get(currency)) is None:
        return f"{minor} {currency}".strip()
    digits = str(abs(minor)).zfill(decimals + 1)
    whole, cents = (digits[:-decimals], "." + digits[-decimals:]) if decimals else (digits, "")
    return f"{'-' if minor < 0 else ''}{whole}{cents} {currency}"


def _of_decimal(amount: Decimal) -> tuple[bool, int, int]:
    sign, digits, exponent = amount.as_tuple()
    if not isinstance(exponent, int) or len(digits) > _LONGEST:
        raise Malformed(f"{str(amount)[:_LONGEST]} is no sum of money.")
    return bool(sign), int("".join(map(str, digits))), exponent


def _of_text(text: str, currency: str, decimals: int) -> tuple[bool, int, int]:
    refusal = f"{text[:_LONGEST]!r} cannot be read as one certain sum of money."
    parts = _PARTS.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if not parts:
        raise Malformed(refusal)
    for mark in (parts["before"], parts["after"]):
        mark = mark.strip().rstrip(".").lower()
        if mark and _MARKS.get(mark, mark.upper()) != currency:
            raise Malformed(f"{text!r} is not plainly a sum in {currency}.")
    number = parts["number"].rstrip(" .,'’\u00a0\u202f")
    grouped, plain = _GROUPED.fullmatch(number), _PLAIN.fullmatch(number)
    # "1,234" may be a thousand or one and a bit; only a dot in a currency of three decimals is surely a decimal mark.
    if grouped and plain and not number.startswith("0") and not (decimals == 3 and "." in number):
        raise Malformed(refusal)
    if plain:
        pass
    elif grouped:
        if grouped["rest"] and grouped["rest"][0] == grouped["mark"]:
            raise Malformed(refusal)
        whole = number[: grouped.start("rest")] if grouped["rest"] else number
        number = re.sub(r"\D", "", whole) + (grouped["rest"] or "")
    else:
        raise Malformed(refusal)
    whole, _, fraction = number.replace(",", ".").partition(".")
    return parts["sign"] in ("-", "−"), int(whole + fraction), -len(fraction)
