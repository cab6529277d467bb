"""Gives each line of a file an id of its own, its type and its sender, so that sending the file again is harmless."""

from collections.abc import Mapping

import msgspec
from msgspec import Raw

from services.intake.allowed import names_at
from services.intake.fact_lines import SHAPES_BY_TYPE
from services.intake.refusals import Line

OBJECT = msgspec.json.Decoder(dict[str, Raw])
NULL = Raw(b"null")
WRAPPED = {"fact", "refused"}  # the names in a line of a file of refused lines


class Identity:
    """`digest`: of the file. A line without an id gets this and its number, so its id is the same in every run.

    `sender`: the field that says whose facts are in one order. `type_name`: of lines that do not say it.
    """

    def __init__(self, digest: str, sender: str = "", type_name: str = "") -> None:
        self.digest, self.sender, self.type_name = digest, sender, type_name

    def named(self, number: int, line: Line) -> Line:
        """Returns the line with what it lacks. What is no JSON object stays as it is, and is refused with a reason."""
        if not isinstance(line, bytes):
            return line
        try:
            first = OBJECT.decode(line)
            given = OBJECT.decode(first["fact"]) if first.keys() == WRAPPED else dict(first)
        except (msgspec.DecodeError, RecursionError, ValueError):
            return line
        if self.type_name and given.get("type", NULL) == NULL:
            given["type"] = text(self.type_name)
        if given.get("id", NULL) == NULL:
            given["id"] = text(f"{self.digest}/{number}")
        if self.sender and (key := self.sender_in(given)):
            given["ordered_by"] = text(key)
        return line if given == first else msgspec.json.encode(given)

    def sender_in(self, given: dict[str, Raw]) -> str:
        """Returns the sender of a line. A field that its fact does not have is taken out, as it said only this."""
        name, _, inner = self.sender.partition(".")
        value = given.get(name, NULL)
        if inner:
            value = inner_of(value).get(inner, NULL)
        elif name not in fields_of(given):
            given.pop(name, None)
        found = msgspec.json.decode(value)
        return "" if found is None else found if isinstance(found, str) else bytes(value).decode()


def inner_of(value: Raw) -> Mapping[str, Raw]:
    try:
        return OBJECT.decode(value)
    except (msgspec.DecodeError, RecursionError, ValueError):
        return {}


def fields_of(given: Mapping[str, Raw]) -> tuple[str, ...]:
    try:
        shape = SHAPES_BY_TYPE.get(msgspec.json.decode(given.get("type", NULL), type=str))
    except (msgspec.DecodeError, ValueError):
        shape = None
    return names_at(shape, "") if shape else ()


def text(value: str) -> Raw:
    return Raw(msgspec.json.encode(value))
