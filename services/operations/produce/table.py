"""Turns the rows of a table into facts: which column goes into which field."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from services.intake.allowed import kinds_at, names_at
from services.intake.fact_lines import SHAPES_BY_TYPE

WHOLE = re.compile(r"-?\d{1,18}")
YES_NO = {"true": True, "1": True, "false": False, "0": False}
LISTS = (inspect.VarTupleType, inspect.ListType)


def shape_of(type_name: str) -> type[msgspec.Struct]:
    """Returns the shape of a line of this type. Raises ValueError."""
    if type_name in SHAPES_BY_TYPE:
        return SHAPES_BY_TYPE[type_name]
    raise ValueError(f"--type takes one of {', '.join(sorted(SHAPES_BY_TYPE))}, not {type_name!r}.")


class Table:
    """The columns of one file. `mapping`: column to field (`payer.name`, `fields.city`); an empty field leaves it out.

    A column that is named like a field needs no mapping. Others go into `fields`, where the fact has it. `sender`: the
    column that says whose facts are in one order. Raises ValueError, with all columns that have no place.
    """

    def __init__(self, type_name: str, header: Sequence[str], mapping: Mapping[str, str], sender: str = "") -> None:
        self.type, self.shape = type_name, shape_of(type_name)
        self.names = names_at(self.shape, "")
        columns = [column.strip() for column in header]
        if unknown := [column for column in mapping if column not in columns]:
            raise ValueError(f"--map names the column {unknown[0]!r}; there are {', '.join(columns)}.")
        if sender and sender not in columns:
            raise ValueError(f"--sender names the column {sender!r}; there are {', '.join(columns)}.")
        self.sender = columns.index(sender) if sender else -1
        self.places = [self.place(column, mapping.get(column)) for column in columns]
        if lost := [
            column for column, place in zip(columns, self.places, strict=True) if place is None and column != sender
        ]:
            raise ValueError(
                f"{type_name} has no field for the columns {', '.join(lost)}. Map each with "
                f"--map COLUMN=FIELD, or leave it out with --map COLUMN=. Fields: {', '.join(self.names)}."
            )

    def place(self, column: str, mapped: str | None) -> tuple[str, ...] | None:
        """Returns the path of a column's value; empty to leave it out, None when there is no place for it."""
        if mapped is not None:
            if mapped and mapped.partition(".")[0] not in self.names:
                why = f"--map {column}={mapped}: {self.type} has no field {mapped.partition('.')[0]!r}."
                raise ValueError(f"{why} Fields: {', '.join(self.names)}.")
            return tuple(mapped.split(".", 1)) if mapped else ()
        name = re.sub(r"\W+", "_", column.lower())
        if not column:
            return ()
        if name in self.names and name != "fields":
            return (name,)
        return ("fields", column) if "fields" in self.names else None

    def line(self, cells: Sequence[str]) -> bytes:
        """Returns a row as a line of POST /facts. An empty cell is not given."""
        fact: dict[str, Any] = {"type": self.type}
        for place, cell in zip(self.places, cells, strict=False):
            text = cell.strip()
            if not (place and text):
                continue
            value = self.value(place, text)
            if len(place) == 2:
                fact.setdefault(place[0], {})[place[1]] = value
            elif isinstance(value, list):
                fact.setdefault(place[0], []).extend(value)
            else:
                fact[place[0]] = value
        if 0 <= self.sender < len(cells) and (key := cells[self.sender].strip()):
            fact["ordered_by"] = key
        return msgspec.json.encode(fact)

    def value(self, place: tuple[str, ...], text: str) -> Any:
        """Returns a cell as its field has it; as it is where that does not fit, so that it is refused with a reason."""
        kinds = [] if place[0] == "fields" else kinds_at(self.shape, ".".join(place))
        if any(isinstance(kind, LISTS) for kind in kinds):
            return [text]
        if any(isinstance(kind, inspect.IntType) for kind in kinds) and WHOLE.fullmatch(text):
            return int(text)
        if any(isinstance(kind, inspect.BoolType) for kind in kinds):
            return YES_NO.get(text.lower(), text)
        return text
