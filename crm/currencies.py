"""Currencies: the codes of ISO 4217, how many decimals each has, and what people call them."""

import re
from functools import lru_cache

from crm.errors import Malformed

_LONGEST = 64
UNKNOWN_CURRENCY = "XXX"  # ISO 4217's own code for none

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


def currency_of(code: str | int) -> str:
    """The alphabetic ISO 4217 code of either kind of code. Raises Malformed."""
    text = str(code).strip().upper()
    alpha = _NUMERIC.get(text.zfill(3)) if text.isascii() and text.isdecimal() else text
    if alpha not in DECIMALS:
        raise Malformed(f"{text[:_LONGEST]!r} is no currency of ISO 4217.")
    return alpha


# What people write for a currency, in Ukrainian, Russian, English and Polish; the first code is meant where the
# workspace's own is none of the others, and nothing is where it is "".
_WORDS: tuple[tuple[str, str], ...] = (
    ("UAH", r"₴|грн|гривн(?:я|і|ю|ею|а|ы|и)|гривень|гривен|hrn|grn|hryvni?as?|hryven"),
    ("EUR", r"€|євро|евро|euros?"),
    ("PLN", r"zł|zl|z[łl]ot(?:y|e|ych|ego)|злот(?:ий|і|их|ого|ый|ых|ые)"),
    ("USD CAD AUD NZD SGD HKD TWD", r"долл?|долл?ар(?:а|и|ів|у|ы|ов)?|dollars?|dolar(?:y|ów|ow|a)?"),
    ("USD CAD AUD NZD SGD HKD TWD MXN ARS CLP COP UYU", r"\$"),
    ("USD", r"us ?\$|\$ ?us|(?:долл?|долл?ар(?:а|и|ів|у|ы|ов)?)\.? сша|us dollars?|америк\w+ долл?ар\w*"),
    ("USD", r"бакс(?:и|ів|ов|а|ы)?"),
    ("CAD", r"ca?\$|cad\$"),
    ("AUD", r"au?\$|aud\$"),
    ("GBP EGP LBP SYP", r"£|фунт(?:и|ів|ов|а|ы)?|pounds?|funt(?:y|ów|ow)?"),
    ("GBP", r"фунт\w* стерл\w+|pounds? sterling"),
    ("RUB BYN", r"руб|рубл(?:ь|я|ей|и|ів)|rub(?:le|les)?"),
    ("RUB", r"₽|рос\w* рубл\w+"),
    ("CHF", r"франк(?:и|ів|ов|а)?|sfr|швейц\w+ франк\w*"),
    ("CZK", r"kč|чес\w+ крон\w*|чешск\w+ крон\w*|korun\w?"),
    (" CZK SEK NOK DKK ISK", r"крон(?:а|и|ы)?|kr|kronor|kroner"),
    (" JPY CNY", r"¥|￥"),
    (" RON MDL", r"лей|леї|леев|леи|lei"),
    ("HUF", r"ft|форинт(?:и|ів|ов|а|ы)?|forint"),
    ("KZT", r"₸|тенге|теньге|тг|tenge"),
    ("TRY", r"₺|лір(?:а|и)?|лир(?:а|ы)?"),
    ("GEL", r"₾|лар[іи]"),
    ("ILS", r"₪|шекел(?:ь|і|ів|ей|я)|shekels?"),
    ("INR", r"₹|рупі(?:я|й|ї)|рупи(?:я|й|и)"),
    ("KRW", r"₩"),
    ("VND", r"₫"),
    ("BGN", r"лв|лев(?:а|и|ів|ов)?"),
    ("BRL", r"r\$"),
)
_NAMED = tuple((codes.split(" "), re.compile(pattern)) for codes, pattern in _WORDS)


def currency_named(text: str, local: str = "") -> str | None:
    """The ISO 4217 code that a text names alone: "грн", "₴", "UAH", "980", "доларів США"; None for anything else.

    What several currencies are called ("$", "крон") is `local`, the workspace's own or the one given with the sum,
    where that is one of them.
    """
    return _named(text, local) if len(text) <= 40 else None


@lru_cache(maxsize=4_096)
def _named(text: str, local: str) -> str | None:
    word = " ".join(text.split()).strip(" .,:;()").casefold()
    if word.isascii() and word.upper() in DECIMALS:
        return word.upper()
    if word.isascii() and word.isdecimal():
        return _NUMERIC.get(word) if len(word) == 3 else None
    for codes, pattern in _NAMED:
        if pattern.fullmatch(word):
            return local if local in codes[1:] else codes[0] or None
    return None
