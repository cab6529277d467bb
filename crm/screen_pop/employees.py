"""Whom a telephone system means by the text with which it names an employee."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from msgspec import Struct

LEAST_DIGITS = 9  # of a telephone number that is compared without its spelling
NUMBER = "number "  # begins the key of one


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


class Salespeople:
    """All that a workspace declared, by what names them: read once for all screens that are shown a call."""

    def __init__(self, everybody: Iterable[Employee]) -> None:
        self.exact: dict[str, list[Employee]] = defaultdict(list)
        self.names: dict[str, list[Employee]] = defaultdict(list)
        for one in sorted(everybody, key=lambda one: one.key):
            for text in spellings(one) | {NUMBER + number for number in [digits(one.phone)] if number}:
                self.exact[text].append(one)
            self.names[one.name.casefold()].append(one)

    def named(self, said: str) -> tuple[Employee, ...]:
        """Returns those whose key, e-mail, extension or telephone this is; without any, those of this name."""
        text, number = said.strip().casefold(), digits(said)
        if not text:
            return ()
        exact = self.exact.get(text, [])
        if number and (others := [one for one in self.exact.get(NUMBER + number, ()) if one not in exact]):
            exact = sorted([*exact, *others], key=lambda one: one.key)
        return tuple(exact or self.names.get(text, ()))


def called(said: str, known: Salespeople) -> Called | None:
    """Returns whom a report names; None when it names nobody."""
    return Called(said, known.named(said)) if said else None


def spellings(one: Employee) -> frozenset[str]:
    return frozenset(text.casefold() for text in (one.key, one.email, one.extension, one.phone) if text)


def digits(text: str) -> str:
    """Returns the digits of a telephone number; empty for what is too short to be one."""
    found = "".join(char for char in text if char.isdecimal()).removeprefix("00")
    return found if len(found) >= LEAST_DIGITS and not any(char.isalpha() for char in text) else ""


def is_among(wanted: Sequence[str], said: str, known: Salespeople) -> bool:
    """Tells whether the employee that was said is one of those that are wanted, each named in whatever way."""
    if any(one.strip().casefold() == said.strip().casefold() for one in wanted):
        return True
    keys = {one.key for one in known.named(said)}
    return any(keys & {one.key for one in known.named(text)} for text in wanted)
