"""Which side of a call is ours: a leg names two numbers, and one of them may be a colleague's or our own line."""

import re
from functools import lru_cache
from typing import Annotated, NamedTuple

from msgspec import Meta

from crm.phones import read_phone
from crm.scalars import Micros
from crm.shared import Phone

NOBODY = Phone("", "")
EXTENSION = re.compile(r"\+?\d{1,4}")
WITHHELD = frozenset(("", "anonymous", "unknown", "restricted", "private", "withheld", "unavailable", "blocked"))
# These words where only a number may stand: by the letters of a telephone's keys.
_SPELLED = {
    "+266696687": "anonymous",
    "+7378742833": "restricted",
    "+2562533": "blocked",
    "+8656696": "unknown",
    "+86282452253": "unavailable",
}
_ADDRESS = re.compile(r"(?:sips?|client|tel|user):", re.IGNORECASE)
OWN_NUMBERS = (
    "Your own numbers, employees' telephones and extensions of five or more digits, separated by commas: "
    "the other side of a call is the one that is not among them."
)
OwnNumbers = Annotated[str, Meta(description=OWN_NUMBERS, examples=["+380441234567,+380501112233"])]


class Sides(NamedTuple):
    """What a leg says of its two sides: fields of CallReported."""

    direction: str = ""
    phone: Phone = NOBODY
    line: str = ""
    employee: str = ""
    internal: bool = False
    note: str = ""


def sides_of(
    caller: str, called: str, own: str, country: str, said: str = "", joins: bool = False, beyond: bool = False
) -> Sides:
    """Returns who is outside. `said`: the vendor's own in or out, which counts where neither number is known as ours;
    without it such a leg says nothing.

    `joins`: the leg joins somebody to a call of which another leg tells. Whom it calls outside is only in the note,
    unless it may be the customer (`beyond`): a partner who is asked, or an employee's own telephone, is no customer.
    """
    caller, called = _bare(caller), _bare(called)
    ours = _own(own, country)
    from_us, to_us = _is_ours(caller, ours, country), _is_ours(called, ours, country)
    if from_us and to_us:
        return Sides(employee=_colleague(called, joins), internal=True)
    if not (from_us or to_us):
        from_us, to_us = said == "out", said == "in"
    if to_us:
        colleague = _colleague(called, joins)
        return Sides("in", read_phone(caller, country), "" if colleague else called, colleague)
    if from_us and called and (beyond or not joins):
        colleague = _colleague(caller)
        return Sides("out", read_phone(called, country), "" if colleague else caller, colleague)
    return Sides(internal=True, note=f"this leg called {called}" if called else "")


def happened_at(started: Micros | None, seconds: int, received_at: Micros) -> Micros:
    """Returns the moment so many seconds after the begin, but none that is still to come; without a begin, now."""
    return received_at if started is None else max(started, Micros(min(started + seconds * 1_000_000, received_at)))


def number(text: str) -> str:
    """Returns digits in full international form, as some vendors write them, with their plus."""
    return f"+{text}" if len(text) > 6 and text.isdecimal() and text[0] != "0" else text


def _bare(text: str) -> str:
    """Returns the number or name of a SIP address."""
    bare = _ADDRESS.sub("", text.strip(), count=1).partition("@")[0]
    return _SPELLED.get(bare, bare)


@lru_cache(maxsize=1024)
def _own(text: str, country: str) -> frozenset[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    return frozenset(parts) | frozenset(filter(None, (read_phone(part, country).e164 for part in parts)))


def _is_ours(text: str, own: frozenset[str], country: str) -> bool:
    """Nobody outside is called by an extension or a name."""
    if text.lower() in WITHHELD:
        return False
    named = EXTENSION.fullmatch(text) or not any(char.isdecimal() for char in text)
    return bool(named) or text in own or read_phone(text, country).e164 in own - {""}


def _colleague(text: str, joins: bool = False) -> str:
    """Returns who is meant by an extension, a name, or a number that is called to join somebody."""
    named = len(text) > 1 and not any(char.isdecimal() for char in text)
    return text if joins or named or EXTENSION.fullmatch(text) else ""
