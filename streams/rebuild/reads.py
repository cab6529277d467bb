"""Which fields of events a fold reads, found in its code: only these are decoded.

What is found is more than what is read, as any name in the code counts. A fold that hides a name (getattr with a name
that it puts together) meets an `Unread` where the field would be, and that raises wherever it is used: then the rebuild
begins again with all fields.
"""

from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any, NoReturn


class UnreadField(Exception):
    """A fold uses a field that was not found in its code."""


class Unread:
    """Stands where a field was not decoded."""

    __slots__ = ()

    def refuse(self, *_: object) -> NoReturn:
        raise UnreadField("a field that was not decoded is used")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = __iter__ = __getitem__ = refuse
    __str__ = __format__ = __hash__ = __int__ = __index__ = __add__ = __radd__ = __sub__ = __contains__ = refuse

    def __getattr__(self, name: str) -> NoReturn:
        self.refuse()


UNREAD = Unread()


def names_read(folds: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """All names that the code of these functions, and of those that it calls, mentions."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting: list[Any] = list(folds)
    while waiting:
        thing = waiting.pop()
        if id(thing) in seen:
            continue
        seen.add(id(thing))
        if isinstance(thing, FunctionType):
            for code in codes(thing.__code__):
                names = set(code.co_names) | set(texts(code.co_consts))
                found |= names
                waiting += [thing.__globals__[name] for name in code.co_names if name in thing.__globals__]
            waiting += [cell.cell_contents for cell in thing.__closure__ or ()]
            waiting += thing.__defaults__ or ()
        elif isinstance(thing, type):
            waiting += [part for part in vars(thing).values() if isinstance(part, FunctionType)]
        elif isinstance(thing, dict | list | tuple | set | frozenset):
            found |= set(texts(thing))
            waiting += thing.values() if isinstance(thing, dict) else thing
        elif inner := getattr(thing, "__wrapped__", None) or getattr(thing, "func", None):
            waiting.append(inner)
    return frozenset(found)


def codes(code: CodeType) -> Iterator[CodeType]:
    """This code and all that is defined inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from codes(constant)


def texts(values: Iterable[Any]) -> Iterator[str]:
    for value in values:
        if isinstance(value, str):
            yield value
        elif isinstance(value, tuple | frozenset):
            yield from texts(value)
