"""A projection: a row type, a pure fold, a version; table, index and handled events are read off the signature."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, Union, get_args, get_origin, get_type_hints

from msgspec.structs import fields

from crm import column_names
from crm import totals as declared_totals
from crm.envelope import Event, Row
from crm.json_column import Json as Json
from crm.scalars import Id, Micros, SortKey
from crm.text.phonetics import phonetic_key

R = TypeVar("R", bound=Row)
SQL_TYPES: dict[Any, str] = {
    Id: "uuid",
    str: "text",
    int: "bigint",
    bool: "boolean",
    Micros: "timestamptz",
    tuple[str, ...]: "text[]",
    Json: "jsonb",
    SortKey: "text",
}


@dataclass(frozen=True)
class Column:
    """One field of a row, as Postgres has it. Its comment becomes the GraphQL description."""

    name: str
    type: str
    required: bool
    sorts: bool = False  # a text by which rows are sorted, byte by byte


@dataclass(frozen=True)
class Projection(Generic[R]):
    """`indexes` are the orders and filters that reads are served by: each begins with the workspace.

    An index of one jsonb or text[] column answers containment; "a, b" is one index over two columns. One of a single
    text column looks up its value, except the empty one. See crm.indexes.
    `search` finds it too: `found_by` names short texts of which any part is looked for, also misspelt, in any alphabet;
    `found_by_words` a long one of which words are. Both stand in a column of their own, so another choice is another
    version. `lookups` are indexes that lists do not offer, for queries of their own: texts in them sort by code points.
    `totals` are what is counted at each change of a row, for reads that must not scan: "stage, owner" by these columns,
    "source by opened_at" also by time. `summed` are the columns that are summed there. See crm.totals.
    """

    name: str
    version: int
    key: str
    row: type[R]
    columns: tuple[Column, ...]
    handles: tuple[type[Event], ...]
    fold: Callable[[R | None, Any], R | None]
    indexes: tuple[str, ...]
    needs_row: bool  # False: the fold never looks at the earlier row, so it is not loaded
    about: str
    schema: str = "read"  # in Postgres; another while a new table is built alongside the one that is read
    found_by: tuple[str, ...] = ()
    found_by_words: str = ""
    lookups: tuple[str, ...] = ()
    totals: tuple[str, ...] = ()
    summed: tuple[str, ...] = ()

    def __hash__(self) -> int:
        """Not of all fields: the statements of a projection are looked up for each batch."""
        return hash((self.name, self.version, self.schema))

    @property
    def table(self) -> str:
        return f"{self.name}_v{self.version}"

    @property
    def qualified_name(self) -> str:
        """The table, with its schema."""
        return f"{self.schema}.{self.table}"

    @cached_property
    def json_columns(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.columns if c.type == "jsonb")

    @cached_property
    def new_rows_are_known(self) -> bool:
        """Tells whether a row that was not loaded is new: it was looked for, or its key is the event's own id."""
        return self.needs_row or not any(self.key in event.__struct_fields__ for event in self.handles)

    @cached_property
    def searched(self) -> tuple[str, ...]:
        """The fields that `search` looks through."""
        return self.found_by or tuple(filter(None, [self.found_by_words]))

    def phonetic_key(self, row: R) -> str:
        """What the column for searching holds of a row."""
        texts: list[str] = []
        for name in self.searched:
            value = getattr(row, name)
            if isinstance(value, str):
                texts.append(value)
            elif value:
                texts += value
        return phonetic_key(texts)

    def key_of(self, event: Event) -> Id:
        """Which row an event is about: its field named like the key, else the event itself."""
        found: Id = getattr(event, self.key, None) or event.meta.id
        return found


def projection(
    *,
    key: str,
    version: int,
    indexes: tuple[str, ...] = (),
    found_by: tuple[str, ...] = (),
    found_by_words: str = "",
    lookups: tuple[str, ...] = (),
    totals: tuple[str, ...] = (),
    summed: tuple[str, ...] = (),
) -> Callable[[Callable[..., R | None]], Projection[R]]:
    """Declares a fold `(row | None, event) -> row | None` as a projection named like the function.

    Raises ValueError with what the signature or the row lacks.
    """

    def declare(fold: Callable[..., R | None]) -> Projection[R]:
        first, second, hints, row = signature_of(fold)
        if key not in row.__struct_fields__:
            raise ValueError(f"The key of {fold.__name__} is {key!r}, and {row.__name__} has no such field.")
        found = Projection(
            name=fold.__name__,
            version=version,
            key=key,
            row=row,
            columns=tuple(column(f.name, hint) for f in fields(row) for hint in [get_type_hints(row)[f.name]]),
            handles=members_of(hints[second]),
            fold=fold,
            indexes=indexes,
            needs_row=hints[first] is not NoneType,
            about=inspect.cleandoc(row.__doc__ or ""),
            found_by=found_by,
            found_by_words=found_by_words,
            lookups=lookups,
            totals=totals,
            summed=summed,
        )
        declared_totals.check(found, fold.__name__)
        return found

    return declare


def signature_of(fold: Callable[..., Any]) -> tuple[str, str, dict[str, Any], type[Any]]:
    """The fold's two parameters, its annotations, and the row that it makes."""
    hints, parameters = get_type_hints(fold), list(inspect.signature(fold).parameters)
    shape = f"Write it as `def {fold.__name__}(row: MyRow | None, event: DealOpened | DealPaid) -> MyRow | None`."
    if len(parameters) != 2 or not {*parameters, "return"} <= hints.keys():
        raise ValueError(f"{fold.__name__} is no fold: it takes a row and an event, each with its type. {shape}")
    first, second = parameters
    rows = [member for member in members_of(hints["return"]) if member is not NoneType]
    if len(rows) != 1 or not (isinstance(rows[0], type) and issubclass(rows[0], Row)):
        raise ValueError(f"{fold.__name__} must give one kind of Row. {shape}")
    for event in members_of(hints[second]):
        if not (isinstance(event, type) and issubclass(event, Event) and event is not Event):
            raise ValueError(f"{fold.__name__} folds {event}, which is no event of crm.events. {shape}")
    return first, second, hints, rows[0]


def column(name: str, hint: Any) -> Column:
    """Raises ValueError when SQL has no such column."""
    column_names.check(name)
    members = members_of(hint)
    plain = [m for m in members if m is not NoneType]
    if len(plain) != 1 or plain[0] not in SQL_TYPES:
        there = ", ".join(getattr(known, "__name__", str(known)) for known in SQL_TYPES)
        raise ValueError(f"{name}: {hint} is no type of a column; there are {there}, each also with `| None`.")
    return Column(name, SQL_TYPES[plain[0]], NoneType not in members, plain[0] is SortKey)


def members_of(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (UnionType, Union) else (hint,)
