"""Fields that people do not see and robots fill in: known by names that no honest question has."""

import re
from decimal import Decimal

from services.connectors.exact_json import Value

# A plausible question ("website_url", "fax") condemns nobody by its name: see the connection's setting `honeypot`.
_TRAP = re.compile(
    r"_?gotcha|_?honey\w*|\w*honey_?pot\w*|_?hp|hp_\w+|\w+_hp|\w*_hp_\w+|bot_?field|\w*botcheck\w*|url_confirm"
    r"|b_[0-9a-f]{2,}_[0-9a-f]+|apbct__\w+|leave_?(this_?)?(blank|empty)\w*|do_?not_?fill\w*"
)


def named(setting: str) -> frozenset[str]:
    """A connection's own traps, separated by commas."""
    return frozenset(name.strip() for name in setting.split(",")) - {""} if setting else frozenset()


def is_trap(name: str, own: frozenset[str]) -> bool:
    last = name.rpartition(".")[2]
    return name in own or last in own or _TRAP.fullmatch(last.lower().replace("-", "_")) is not None


def is_filled(name: str, value: Value, own: frozenset[str]) -> bool:
    """`hp` = 150 is the power of an engine."""
    if value in ("", None, False, [], {}):
        return False
    number = isinstance(value, int | Decimal) or (isinstance(value, str) and value.strip().isdecimal())
    return not number or name in own or name.rpartition(".")[2] in own
