"""Raw records into events by the column: grouped by schema id, decoded in Rust, made into Structs.

It gives what crm.contract.codec.decode gives, but for fields that nobody reads: these are not decoded, see reads.py.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cache
from itertools import repeat
from typing import Any, NamedTuple, get_type_hints

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
from streams.rebuild.read.source import Slab

BEFORE = [{"name": "frame", "type": {"type": "fixed", "name": "Frame", "size": FRAME.size}}]
Values = Iterable[Any]


class Decoded(NamedTuple):
    """Events of one kind in a slab. Positions: the slab's first + place."""

    kind: type[Event]
    places: pl.Series
    columns: pl.DataFrame  # by field, in dotted names: those that were asked for
    events: list[Event]


class Unknown(NamedTuple):
    """Records of a schema that this release does not have."""

    schema_id: int
    number: int  # of records
    first: int  # position


class Decoder:
    """`names`: the fields that are read, of each kind in dotted names or of all by their last; None reads all."""

    def __init__(self, kinds: Collection[type[Event]], names: Names | Collection[str] | None = None) -> None:
        self.readers = {
            FRAME.pack(0, entry.id): Reader(entry, wanted(names, RECORDS[entry.name]))
            for entry in REGISTERED
            if RECORDS[entry.name] in kinds
        }
        self.known = {FRAME.pack(0, entry.id) for entry in REGISTERED}
        self.unknown: dict[int, Unknown] = {}  # that were passed over

    def decode(self, slab: Slab) -> Iterator[Decoded]:
        """By kind. Raises Malformed for a record that is not framed or does not fit its schema."""
        values = slab.values.rename("value")
        frame = values.to_frame().with_columns(values.bin.head(FRAME.size).alias("id")).with_row_index("place")
        for (head,), part in frame.partition_by("id", as_dict=True, maintain_order=True).items():
            if reader := self.readers.get(head):
                yield reader.read(slab, part)
            elif head not in self.known:
                self.pass_over(slab, head, part)

    def pass_over(self, slab: Slab, head: bytes, part: pl.DataFrame) -> None:
        """What a newer release wrote is told at the end, as the project role reads past it too."""
        first = slab.first + part["place"][0]
        if len(head) < FRAME.size or head[0] != 0:
            raise Malformed(
                f"The record at position {first} of journal partition {slab.partition} is not framed: it must begin "
                "with a zero byte and a schema id. Nothing was changed."
            )
        id = int.from_bytes(head[1:], "big")
        before = self.unknown.get(id, Unknown(id, 0, first))
        self.unknown[id] = before._replace(number=before.number + part.height)


def wanted(names: Names | Collection[str] | None, kind: type[Event]) -> Callable[[str], bool]:
    """Whether a field of this kind is to be decoded."""
    if names is None:
        return lambda _: True
    if isinstance(names, Mapping):
        return names[kind].__contains__
    return lambda name: name.rpartition(".")[2] in names


class Reader:
    """Records of one published shape."""

    def __init__(self, entry: Registered, reads: Callable[[str], bool]) -> None:
        self.entry, self.kind = entry, RECORDS[entry.name]
        self.shape, self.frame = Shape(entry.schema, BEFORE), FRAME.pack(0, entry.id)
        there = [name for name in self.shape.fields if name != "frame"]
        self.columns = [name for name in there if reads(name)] or there[:1]
        self.build = builder(self.kind, "", frozenset(self.columns), frozenset(there))

    def read(self, slab: Slab, part: pl.DataFrame) -> Decoded:
        """The first record is read once more behind the last: it is not found there when one before has a wrong length.

        Raises Malformed.
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
            first = slab.first + part["place"][0]
            raise Malformed(
                f"A {self.entry.name} of journal partition {slab.partition}, among the {part.height} from position "
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


def builder(kind: type[Any], prefix: str, read: frozenset[str], there: frozenset[str]) -> Build:
    """Makes Structs of `kind` from columns: what is not read is UNREAD, what the shape had not has its default."""
    hints = get_type_hints(kind)
    parts = [part(field, hints[field.encode_name], prefix, read, there) for field in fields(kind)]

    def build(columns: Mapping[str, Values], count: int) -> Values:
        return map(kind, *(make(columns, count) for make in parts))

    return build


def part(field: FieldInfo, hint: Any, prefix: str, read: frozenset[str], there: frozenset[str]) -> Build:
    """One field of a Struct."""
    name = prefix + field.encode_name
    if name in read:
        convert = converter(hint)
        return (lambda columns, _: map(convert, columns[name])) if convert else (lambda columns, _: columns[name])
    if any(other.startswith(f"{name}.") for other in there):
        if any(other.startswith(f"{name}.") for other in read):
            return builder(hint, f"{name}.", read, there)
        return lambda _, count: repeat(UNREAD, count)
    if name in there:
        return lambda _, count: repeat(UNREAD, count)
    if field.default_factory is not msgspec.NODEFAULT:
        made = field.default_factory
        return lambda _, count: (made() for _ in range(count))
    if field.default is msgspec.NODEFAULT:
        raise Broken(f"{name} has no default, and an old shape has it not. `make lint` says how to mend the schema.")
    return lambda _, count: repeat(field.default, count)


@cache
def converter(hint: Any) -> Callable[[Any], Any] | None:
    """What makes of polars' lists and dicts what a Struct has; None where it is the same."""
    plain_ = next(member for member in members_of(hint) if member is not type(None))
    origin = getattr(plain_, "__origin__", None)
    if origin is dict:
        return pairs
    if origin is tuple:
        inner = plain_.__args__[0]
        if inner is str or isinstance(getattr(inner, "__supertype__", None), type):
            return lambda found: None if found is None else tuple(found)
        return lambda found: None if found is None else tuple(msgspec.convert(each, inner) for each in found)
    if isinstance(plain_, type) and issubclass(plain_, msgspec.Struct):
        return lambda found: None if found is None else msgspec.convert(found, plain_)
    return None


def pairs(found: list[dict[str, str]]) -> dict[str, str]:
    return {pair["key"]: pair["value"] for pair in found}
