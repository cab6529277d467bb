"""What may stand in a line: the types of facts, the words of a field, the fields of an object."""

from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from typing import Any

import msgspec
from msgspec import inspect

from services.intake.refusals import Refusal, type_in

NEAR = 3  # names that a sentence suggests
ITEMS = ("item_type", "value_type")  # of a list, and of a map
OF_ITS_OWN = " Fields of your own go into `fields`."


def explained(refusal: Refusal, line: bytes, types: Mapping[str, type[msgspec.Struct]]) -> Refusal:
    """Returns the refusal of a line with what is allowed in its place, where that is a short list.

    `types`: the shape of a line by the name of its type.
    """
    if refusal.field == "type":
        return with_words(refusal, tuple(sorted(types)))
    shape = types.get(type_in(line))
    if shape is None:
        return refusal
    if refusal.code == "UNKNOWN_FIELD":
        path, _, name = refusal.field.rpartition(".")
        return with_fields(refusal, name, names_at(shape, path), own=not path)
    return with_words(refusal, words_at(shape, refusal.field))


def with_words(refusal: Refusal, words: tuple[str, ...]) -> Refusal:
    if not words:
        return refusal
    return Refusal(f"{refusal} Allowed: {', '.join(words)}.", refusal.code, refusal.field, words)


def with_fields(refusal: Refusal, name: str, names: tuple[str, ...], own: bool) -> Refusal:
    """`own`: it is a field of the fact itself and not of an object in it."""
    sentence = str(refusal)
    if near := get_close_matches(name, names, NEAR):
        sentence += f" Did you mean {' or '.join(f'`{one}`' for one in near)}?"
    elif own and "fields" in names:
        sentence += OF_ITS_OWN
    return Refusal(sentence, refusal.code, refusal.field, names)


def words_at(shape: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """Returns the words that a value may be; empty when it may be any."""
    return tuple(
        word
        for kind in kinds_at(shape, path)
        if isinstance(kind, inspect.LiteralType)
        for word in kind.values
        if isinstance(word, str) and word
    )


def names_at(shape: type[msgspec.Struct], path: str) -> tuple[str, ...]:
    """Returns the names of the fields that an object may have, without its `type`."""
    return tuple(
        field.encode_name
        for kind in kinds_at(shape, path)
        if isinstance(kind, inspect.StructType)
        for field in kind.fields
    )


@cache
def type_of(shape: type[msgspec.Struct]) -> inspect.Type:
    return inspect.type_info(shape)


def kinds_at(shape: type[msgspec.Struct], path: str) -> list[inspect.Type]:
    """Returns the kinds of value that may stand at a path such as `phones[0].text`."""
    kinds = [type_of(shape)]
    for part in path.split(".") if path else ():
        name, *indexes = part.split("[")
        fields: list[Any] = [field for kind in kinds for field in getattr(kind, "fields", ())]
        kinds = [each for field in fields if field.encode_name == name for each in members(field.type)]
        for _ in indexes:
            items = [getattr(kind, attribute, None) for kind in kinds for attribute in ITEMS]
            kinds = [each for item in items if item is not None for each in members(item)]
    return kinds


def members(kind: inspect.Type) -> tuple[inspect.Type, ...]:
    return kind.types if isinstance(kind, inspect.UnionType) else (kind,)
