"""Whom a telephone system means by the text with which it names an employee."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

LEAST_DIGITS = 9  # of a telephone number that is compared without its spelling


class Employee(Struct, frozen=True):
    """A salesperson that the workspace declared."""

    key: str
    name: str = ""
    email: str = ""
    phone: str = ""
    extension: str = ""


class Called(Struct, frozen=True):
    """Whom a call rings, as it was said, and the salespeople that this names: several where it fits several."""

    said: str
    owners: tuple[Employee, ...] = ()


def named(said: str, known: Iterable[Employee]) -> tuple[Employee, ...]:
    """Returns the salespeople whose key, e-mail, extension or telephone this is; without any, those of this name."""
    text, number = said.strip().casefold(), digits(said)
    if not text:
        return ()
    everybody = sorted(known, key=lambda one: one.key)
    exact = [one for one in everybody if text in spellings(one) or (number and number == digits(one.phone))]
    return tuple(exact or (one for one in everybody if one.name.casefold() == text))


def called(said: str, known: Iterable[Employee]) -> Called | None:
    """Returns whom a report names; None when it names nobody."""
    return Called(said, named(said, known)) if said else None


def spellings(one: Employee) -> frozenset[str]:
    return frozenset(text.casefold() for text in (one.key, one.email, one.extension, one.phone) if text)


def digits(text: str) -> str:
    """Returns the digits of a telephone number; empty for what is too short to be one."""
    found = "".join(char for char in text if char.isdecimal()).removeprefix("00")
    return found if len(found) >= LEAST_DIGITS and not any(char.isalpha() for char in text) else ""


def is_among(wanted: Sequence[str], said: str, known: Sequence[Employee]) -> bool:
    """Tells whether the employee that was said is one of those that are wanted, each named in whatever way."""
    if any(one.strip().casefold() == said.strip().casefold() for one in wanted):
        return True
    keys = {one.key for one in named(said, known)}
    return any(keys & {one.key for one in named(text, known)} for text in wanted)
