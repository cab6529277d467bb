"""The settings of a workspace in their normal form, from a command, from the API or from the command line."""

from typing import NamedTuple

from crm import zones
from crm.dialling import has_numbers
from crm.errors import CrmError, Malformed
from crm.money import currency_of

LONGEST = 200  # characters of a name


class Settings(NamedTuple):
    """`country`: ISO 3166 alpha-2. `currency`: ISO 4217. `timezone`: an IANA name."""

    name: str
    country: str
    currency: str
    timezone: str


class WrongSetting(CrmError):
    """A setting that no workspace can have. `message` goes on from the name of the field."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field} {message}")
        self.field, self.message = field, message


def read_settings(name: str, country: str, currency: str, timezone: str) -> Settings:
    """Returns the settings in their normal form. Raises WrongSetting."""
    title, region = name.strip(), country.strip().upper()
    if not 0 < len(title) <= LONGEST:
        raise WrongSetting("name", f"takes 1 to {LONGEST} characters.")
    if not has_numbers(region):
        raise WrongSetting("country", f"takes a two-letter ISO 3166 code such as UA or PL, not {country!r}.")
    try:
        code = currency_of(currency)
    except Malformed:
        why = f"takes a three-letter ISO 4217 code such as UAH or EUR, not {currency!r}."
        raise WrongSetting("currency", why) from None
    if not zones.exists(timezone):
        raise WrongSetting("timezone", f"takes an IANA name such as Europe/Kyiv, not {timezone!r}.")
    return Settings(title, region, code, timezone)
