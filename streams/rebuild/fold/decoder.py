"""Decodes raw records into events column by column: groups them by schema id, decodes in Rust, builds Structs.

Yields what crm.contract.codec.decode returns, except for fields that no fold reads, see field_pruning.py.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from itertools import repeat
from typing import Any, NamedTuple, get_origin, get_type_hints

import msgspec
import polars as pl
from msgspec.structs import FieldInfo, fields

from crm.contract.codec import FRAME, RECORDS, REGISTERED
from crm.contract.registry import Registered
from crm.envelope import Event
from crm.errors import Broken, Malformed
from crm.projection import members_of
from streams.rebuild.fold.field_pruning import UNREAD, Names
from streams.rebuild.read.container import Shape
from streams.rebuild.read.source import Chunk

BEFORE = [{"name": "frame", "type": {"type": "fixed", "name": "Frame", "size": FRAME.size}}]
Values = Iterable[Any]


class Decoded(NamedTuple):
    """Events of one kind in a chunk. The position of an event is the chunk's first + its place."""

    kind: type[Event]
    places: pl.Series
    columns: pl.DataFrame  # by dotted field name: those to decode
    events: list[Event]


class Unknown(NamedTuple):
    """Records with a schema that this release does not know."""

    schema_id: int
    number: int  # of records
    first: int  # position


class Decoder:
    """Decodes events of some kinds. `names`: fields to decode, dotted by kind or last names for all; None for all."""

    def __init__(self, kinds: Collection[type[Event]], names: Names | Collection[str] | None = None) -> None:
        self.readers = {
            FRAME.pack(0, entry.id): ShapeReader(entry, field_filter(names, RECORDS[entry.name]))
            for entry in REGISTERED
            if RECORDS[entry.name] in kinds
        }
        self.known = {FRAME.pack(0, entry.id) for entry in REGISTERED}
        self.unknown: dict[int, Unknown] = {}  # skipped records by schema id

    def decode(self, chunk: Chunk) -> Iterator[Decoded]:
        """Yields the events of a chunk by kind. Raises Malformed for a record without a frame or against its schema."""
        values = chunk.values.rename("value")
        frame = values.to_frame().with_columns(values.bin.head(FRAME.size).alias("id")).with_row_index("place")
        for (head,), part in frame.partition_by("id", as_dict=True, maintain_order=True).items():
            if reader := self.readers.get(head):
                yield reader.read(chunk, part)
            elif head not in self.known:
                self.count_unknown(chunk, head, part)

    def count_unknown(self, chunk: Chunk, head: bytes, part: pl.DataFrame) -> None:
        """Counts records of a newer release, which the project role skips too. Raises Malformed without a frame."""
        first = chunk.first + part["place"][0]
        if len(head) < FRAME.size or head[0] != 0:
            raise Malformed(
                f"The record at position {first} of journal partition {chunk.partition} is not framed: it must begin "
                "with a zero byte and a schema id. Nothing was changed."
            )
        id = int.from_bytes(head[1:], "big")
        before = self.unknown.get(id, Unknown(id, 0, first))
        self.unknown[id] = before._replace(number=before.number + part.height)


def field_filter(names: Names | Collection[str] | None, kind: type[Event]) -> Callable[[str], bool]:
    """Returns a function that says whether to decode a field of this kind."""
    if names is None:
        return lambda _: True
    if isinstance(names, Mapping):
        return names[kind].__contains__
    return lambda name: name.rpartition(".")[2] in names


class ShapeReader:
    """Reads the records of one published schema."""

    def __init__(self, entry: Registered, reads: Callable[[str], bool]) -> None:
        self.entry, self.kind = entry, RECORDS[entry.name]
        self.shape, self.frame = Shape(entry.schema, BEFORE), FRAME.pack(0, entry.id)
        present = [name for name in self.shape.fields if name != "frame"]
        self.columns = [name for name in present if reads(name)] or present[:1]
        self.build = builder(self.kind, "", frozenset(self.columns), frozenset(present))

    def read(self, chunk: Chunk, part: pl.DataFrame) -> Decoded:
        """Decodes records. Raises Malformed when they violate their schema.

        Reads the first record once more after the last one: it is not found there if a record has a wrong length.
        """
        values = part["value"].to_list()
        problem = ""
        try:
            read = self.shape.read(part.height + 1, b"".join([*values, values[0]]), [*self.columns, "frame"])
            if not read["frame"].bin.starts_with(self.frame).all():
                problem = ": one of them is longer or shorter"
        except ValueError as error:
            problem = f": {error}"
        if problem:
            first = chunk.first + part["place"][0]
            raise Malformed(
                f"A {self.entry.name} of journal partition {chunk.partition}, among the {part.height} from position "
                f"{first} on, does not fit its schema {self.entry.id}{problem}. Nothing was changed."
            )
        columns = read.head(part.height).select(self.columns)
        values_of = {name: listed(columns[name]) for name in self.columns}
        return Decoded(self.kind, part["place"], columns, list(self.build(values_of, part.height)))


def listed(column: pl.Series) -> list[Any]:
    """Python's values. A column that says one thing all along, as the workspace often does, is made once."""
    if column.dtype == pl.String and len(column) > 1 and column.eq_missing(column[0]).all():
        return [column[0]] * len(column)
    return column.to_list()


Build = Callable[[Mapping[str, Values], int], Values]


def builder(kind: type[Any], prefix: str, read: frozenset[str], present: frozenset[str]) -> Build:
    """Returns a function that builds Structs of `kind` from columns.

    A field that is not read becomes UNREAD; one that the schema lacks gets its default.
    """
    hints = get_type_hints(kind)
    parts = [part(field, hints[field.encode_name], prefix, read, present) for field in fields(kind)]

    def build(columns: Mapping[str, Values], count: int) -> Values:
        return map(kind, *(make(columns, count) for make in parts))

    return build


def part(field: FieldInfo, hint: Any, prefix: str, read: frozenset[str], present: frozenset[str]) -> Build:
    """Returns a function that builds the values of one field. Raises Broken for a missing default."""
    name = prefix + field.encode_name
    if name in read:
        convert = converter(hint)
        return (lambda columns, _: map(convert, columns[name])) if convert else (lambda columns, _: columns[name])
    if any(other.startswith(f"{name}.") for other in present):
        if any(other.startswith(f"{name}.") for other in read):
            return builder(hint, f"{name}.", read, present)
        return lambda _, count: repeat(UNREAD, count)
    if name in present:
        return lambda _, count: repeat(UNREAD, count)
    if field.default_factory is not msgspec.NODEFAULT:
        made = field.default_factory
        return lambda _, count: (made() for _ in range(count))
    if field.default is msgspec.NODEFAULT:
        raise Broken(f"{name} has no default, and an old schema lacks it. `make lint` says how to fix the schema.")
    return lambda _, count: repeat(field.default, count)


@cache
def converter(hint: Any) -> Callable[[Any], Any] | None:
    """Returns a function that converts polars' lists and dicts to a Struct's types, or None where they are the same."""
    plain_ = next(member for member in members_of(hint) if member is not type(None))
    origin = getattr(plain_, "__origin__", None)
    if origin is dict:
        return pairs
    if origin is tuple:
        inner = plain_.__args__[0]
        if inner is str or isinstance(getattr(inner, "__supertype__", None), type):
            return lambda found: None if found is None else tuple(found)
        each = converter(inner) or partial(msgspec.convert, type=inner)
        return lambda found: None if found is None else tuple(map(each, found))
    if isinstance(plain_, type) and issubclass(plain_, msgspec.Struct):
        return lambda found: None if found is None else msgspec.convert(with_maps(found, plain_), plain_)
    return None


def with_maps(found: dict[str, Any], kind: type[msgspec.Struct]) -> dict[str, Any]:
    """Returns a nested record with its maps, at any depth, which polars gives as lists of pairs."""
    if not (maps := maps_of(kind)):
        return found
    return {name: maps[name](value) if name in maps and value is not None else value for name, value in found.items()}


@cache
def maps_of(kind: type[msgspec.Struct]) -> dict[str, Callable[[Any], Any]]:
    """Returns what makes maps, by field: of those that are maps, and of records that have some."""
    found: dict[str, Callable[[Any], Any]] = {}
    for name, hint in get_type_hints(kind).items():
        plain = next(member for member in members_of(hint) if member is not type(None))
        if get_origin(plain) is dict:
            found[name] = pairs
        elif isinstance(plain, type) and issubclass(plain, msgspec.Struct) and maps_of(plain):
            found[name] = partial(with_maps, kind=plain)
    return found


def pairs(found: list[dict[str, str]]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in found}
