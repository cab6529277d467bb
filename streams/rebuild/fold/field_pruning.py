"""Finds the event fields that a fold reads, so that only these are decoded.

Combines two methods. The golden records of each kind go through the fold while the classes record which fields are
read. And the code is searched for names: a field that it mentions but no golden record made it read is decoded for
every kind. In place of a field that both methods miss stands an `Unread`, which raises wherever it is used; the rebuild
then starts again with all fields.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from types import CodeType, FunctionType
from typing import Any, NoReturn, get_type_hints

from msgspec import Struct
from msgspec.structs import fields

from crm.contract.codec import REGISTERED
from crm.envelope import Event
from crm.golden_rows import stream
from crm.projection import Projection

Names = Mapping[type[Event], Collection[str]]  # dotted: meta.occurred_at


class UnreadField(Exception):
    """A fold uses a field that was not decoded, as it was not found in the fold's code."""


class Unread:
    """Placeholder for a field that was not decoded. Raises UnreadField when it is used."""

    __slots__ = ()

    def refuse(self, *_: object) -> NoReturn:
        raise UnreadField("a field that was not decoded is used")

    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __bool__ = __len__ = __iter__ = __getitem__ = refuse
    __str__ = __format__ = __hash__ = __int__ = __index__ = __add__ = __radd__ = __sub__ = __contains__ = refuse

    def __getattr__(self, name: str) -> NoReturn:
        self.refuse()


UNREAD = Unread()


def fields_read(projections: Collection[Projection[Any]]) -> Names:
    """Returns the fields that these folds read, by kind of event."""
    kinds = {kind for projection in projections for kind in projection.handles}
    mentioned = names_read(projection.fold for projection in projections)
    used: dict[type[Event], set[str]] = {kind: set() for kind in kinds}
    whole: set[type[Event]] = set()  # kinds with a golden record on which the fold raised
    for projection in projections:
        for kind, names, ended in trace_golden(projection):
            used[kind] |= names
            whole |= set() if ended else {kind}
    seen = {name.rpartition(".")[2] for names in used.values() for name in names}
    found = {}
    for kind, names in used.items():
        every = set(paths(kind))
        keys = {name for p in projections if kind in p.handles for name in key_fields(kind, p.key)}
        unsure = mentioned if kind in whole else mentioned - seen
        sure = {name for name in every if name in names or name.rpartition(".")[2] in unsure}
        found[kind] = sure | keys | {"meta.workspace"}
    return found


def key_fields(kind: type[Event], key: str) -> Iterator[str]:
    """Yields the fields that name the row of an event: its key, and its id where the key may be missing or empty.

    A key with a default is missing in records of older shapes.
    """
    field = next((field for field in fields(kind) if field.name == key), None)
    if field:
        yield key
    if field is None or not field.required:
        yield "meta.id"


def trace_golden(projection: Projection[Any]) -> Iterator[tuple[type[Event], set[str], bool]]:
    """Yields for each golden record its kind, the fields that the fold read, and whether the fold returned."""
    names = {kind.__name__ for kind in projection.handles}
    rows: dict[str, Any] = {}
    for event in stream([entry.id for entry in REGISTERED if entry.name in names]):
        key = projection.key_of(event)
        used: set[str] = set()
        ended = False
        with recording(type(event), used), suppress(Exception):
            rows[key] = projection.fold(rows.get(key), event)
            ended = True
        yield type(event), used, ended


@contextmanager
def recording(kind: type[Struct], used: set[str], prefix: str = "") -> Iterator[None]:
    """Adds each field of `kind`, or of a record in it, that is read inside the block to `used`."""
    hints = get_type_hints(kind)
    with ExitStack() as undo:
        for field in fields(kind):
            name, hint = field.name, hints[field.name]
            if isinstance(hint, type) and issubclass(hint, Struct):
                undo.enter_context(recording(hint, used, f"{prefix}{name}."))
            if name in vars(kind):
                undo.callback(setattr, kind, name, vars(kind)[name])
            else:
                undo.callback(delattr, kind, name)
            setattr(kind, name, RecordedField(getattr(kind, name), used, f"{prefix}{name}"))
        yield


class RecordedField:
    """A field descriptor that records each access."""

    def __init__(self, field: Any, used: set[str], name: str) -> None:
        self.field, self.used, self.name = field, used, name

    def __get__(self, of: Any, kind: type[Any]) -> Any:
        self.used.add(self.name)
        return self.field.__get__(of, kind)


def paths(kind: type[Struct], prefix: str = "") -> Iterator[str]:
    """Yields all fields in dotted names; for a nested record the names of its fields."""
    hints = get_type_hints(kind)
    for field in fields(kind):
        hint = hints[field.name]
        if isinstance(hint, type) and issubclass(hint, Struct):
            yield from paths(hint, f"{prefix}{field.name}.")
        else:
            yield f"{prefix}{field.name}"


def names_read(folds: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """Returns all names in the code of these functions and of the functions they call."""
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
                found |= set(code.co_names) | set(texts(code.co_consts))
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
    """Yields this code object and all nested ones."""
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
