"""Ukrainian and English: words, sums and moments. Templates are in English; words/uk.po has the Ukrainian."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, negotiate_locale
from babel.dates import format_datetime, format_timedelta
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, get_currency_symbol
from babel.support import NullTranslations, Translations
from starlette.requests import Request

from api.console.vocabulary import Vocabulary
from crm.envelope import now
from crm.zones import of_workspace

WORDS = Path(__file__).parent / "words"
LANGUAGES = "uk", "en"
COOKIE = "potik_language"


def language_of(request: Request) -> str:
    """Returns the chosen language, else the browser's, else Ukrainian."""
    if (chosen := request.cookies.get(COOKIE)) in LANGUAGES:
        return str(chosen)
    wanted = [part.partition(";")[0].strip() for part in request.headers.get("accept-language", "").split(",")]
    return negotiate_locale(wanted, LANGUAGES, sep="-") or LANGUAGES[0]


@cache
def words(language: str) -> NullTranslations:
    file = WORDS / f"{language}.po"
    if not file.exists():
        return NullTranslations()
    compiled = BytesIO()
    with file.open("rb") as lines:
        write_mo(compiled, read_po(lines, locale=language))
    compiled.seek(0)
    return Translations(compiled)


@cache
def vocabulary(language: str) -> Vocabulary:
    return Vocabulary(words(language).gettext)


class Speaker:
    """Says things in one language and time zone."""

    def __init__(self, language: str, zone: str = "UTC") -> None:
        self.language, self.locale, self.zone = language, Locale(language), of_workspace(zone)
        self.words = words(language)
        self.vocabulary = vocabulary(language)

    def money(self, amount: dict[str, Any] | None) -> str:
        """Says an amount as the API gives it, with `text` and `currency`. Whole sums have no cents."""
        if not amount:
            return ""
        value = Decimal(amount["text"].split(" ")[0])
        number = format_decimal(value, "#,##0.00" if value % 1 else "#,##0", self.locale)
        symbol = get_currency_symbol(amount["currency"], self.locale)
        return f"{symbol}{number}" if self.language == "en" and not symbol.isalpha() else f"{number}\u00a0{symbol}"

    def some(self, amount: dict[str, Any] | None) -> bool:
        """Whether an amount is more or less than nothing."""
        return bool(amount and Decimal(amount["text"].split(" ")[0]))

    def number(self, value: float) -> str:
        return format_decimal(value, locale=self.locale)

    def moment(self, written: str | None) -> str:
        return format_datetime(moment(written), "short", self.zone, self.locale) if written else ""

    def local(self, written: str) -> str:
        """Returns a moment as a browser's field for moments takes it, in this time zone; empty for what is none."""
        try:
            at = moment(written)
        except ValueError:
            return ""
        return (at.astimezone(self.zone) if at.tzinfo else at).replace(tzinfo=None).isoformat(timespec="seconds")

    def duration(self, seconds: float | None) -> str:
        """Says how long something took, in the largest unit of which there are two."""
        if seconds is None:
            return ""
        return format_timedelta(timedelta(seconds=seconds), threshold=2, format="short", locale=self.locale)

    def is_past(self, written: str) -> bool:
        return moment(written).timestamp() * 1_000_000 < now()

    def ago(self, written: str | None) -> str:
        if not written:
            return ""
        passed = moment(written) - datetime.fromtimestamp(now() / 1_000_000, UTC)
        return format_timedelta(passed, add_direction=True, locale=self.locale)


def moment(written: str) -> datetime:
    return datetime.fromisoformat(written)
