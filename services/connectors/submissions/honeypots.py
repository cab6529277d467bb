"""Honeypots: fields that people do not see and robots fill in, known by names that no real question has."""

import re
from decimal import Decimal

from services.connectors.formats.exact_json import Value

# A plausible question ("website_url", "fax") condemns nobody by its name: see the connection's setting `honeypot`.
_TRAP = re.compile(
    r"_?gotcha|_?honey\w*|\w*honey_?pot\w*|_?hp|_?hp_\w+|(?:field|form|name|email|contact|wp|cf\d|ff|ak|comment)_hp(?:_\w+)?|bot_?field|\w*botcheck\w*|url_confirm"
    r"|b_[0-9a-f]{2,}_[0-9a-f]+|apbct__\w+|leave_?(this_?)?(blank|empty)\w*|do_?not_?fill\w*"
)
_POWER = re.compile(r"\s*\d{1,4}\b.{0,10}")


def honeypots_named(setting: str) -> frozenset[str]:
    """Returns a connection's own honeypots, which its setting separates by commas."""
    return frozenset(name.strip() for name in setting.split(",")) - {""} if setting else frozenset()


def is_honeypot(name: str) -> bool:
    return _TRAP.fullmatch(name.lower().replace("-", "_")) is not None


def is_own(name: str, own: frozenset[str]) -> bool:
    return name in own or name.rpartition(".")[2] in own


def is_filled(value: Value, own: bool) -> bool:
    """Whether a honeypot was filled in. `hp` = 150 is an engine's power, unless the connection names it."""
    if value in ("", None, False, [], {}):
        return False
    number = isinstance(value, int | Decimal) or (isinstance(value, str) and _POWER.fullmatch(value) is not None)
    return own or not number
