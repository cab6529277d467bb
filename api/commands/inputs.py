"""The input type of a mutation, made from its command: the same fields, their descriptions and conversions."""

import re
from datetime import datetime, timedelta
from enum import Enum, StrEnum
from types import GenericAlias, NoneType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import msgspec
import strawberry
from msgspec import NODEFAULT, Struct
from msgspec.structs import fields
from strawberry.scalars import JSON

from api.errors import BadInput
from api.http.numbers import ENCODER
from api.schema.filters import known_id
from api.schema.scalars import Long
from crm.commands import HIDDEN, Code, Command, Fields, Rejected
from crm.decisions import strip_nul
from crm.decisions.workspace import EPOCH
from crm.projection import members_of
from crm.scalars import Id, Micros
from crm.shared import Meta

SCALARS: dict[Any, Any] = {Id: strawberry.ID, Micros: datetime, int: Long, str: str, bool: bool}
BY_TYPE: dict[Any, Any] = {}  # GraphQL's type of each struct and enum
ERROR_PATH = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`")


@strawberry.input(description="A custom field and its value.")
class CustomFieldInput:
    key: str = strawberry.field(description="Key of the custom field.")
    value: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="A value of the field's type; numbers keep all digits. null removes the value; omit it to keep it.",
    )


@strawberry.input(description="A setting of a connection.")
class SettingInput:
    key: str = strawberry.field(description="Name of the setting, defined by the connector.")
    value: str = strawberry.field(description="Value of the setting, stored as a secret.")


def description_of(declared: type) -> str:
    """Returns its docstring on one line: Python 3.13 removes the indentation, earlier ones keep it."""
    return " ".join((declared.__doc__ or "").split())


def input_type(struct: type[Struct], without: str = "") -> Any:
    """Returns the GraphQL input type of a command, or of a struct inside one. `without`: a field that it lacks."""
    if struct not in BY_TYPE:
        name = f"{struct.__name__}Input"
        hints = get_type_hints(struct, include_extras=True)
        cls = type(name, (), {"__module__": __name__, "__annotations__": {}})
        for field in fields(struct):
            about = about_of(hints[field.name])
            if field.name in ("meta", without) or about.extra == HIDDEN:
                continue
            given = graphql_type(hints[field.name])
            optional = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
            cls.__annotations__[field.name] = given | None if optional else given
            default = {"default": strawberry.UNSET} if optional else {}
            setattr(cls, field.name, strawberry.field(description=about.description, **default))
        BY_TYPE[struct] = strawberry.input(cls, name=name, description=description_of(struct))
    return BY_TYPE[struct]


def about_of(hint: Any) -> msgspec.Meta:
    found = [meta for meta in getattr(hint, "__metadata__", ()) if isinstance(meta, msgspec.Meta)]
    return next((meta for meta in reversed(found) if meta.description or meta.extra), msgspec.Meta())


def graphql_type(hint: Any) -> Any:
    """Returns the GraphQL type of a field, without `None`: the field says whether it is required."""
    if hint == Fields:
        return GenericAlias(list, CustomFieldInput)
    (hint,) = value_types(hint)
    if hint == dict[str, str]:
        return GenericAlias(list, SettingInput)
    if get_origin(hint) is tuple:
        return GenericAlias(list, graphql_type(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if hint not in BY_TYPE:
            BY_TYPE[hint] = strawberry.enum(hint, description=description_of(hint))
        return BY_TYPE[hint]
    return input_type(hint) if isinstance(hint, type) and issubclass(hint, Struct) else SCALARS[hint]


def command_of(kind: type[Command], given: Any, meta: Meta, known_details: dict[str, Any]) -> Command:
    """Makes the command. Raises Rejected when a value is not valid, BadInput when it cannot be stored."""
    values = {**as_builtins(given, kind), **known_details, "meta": msgspec.to_builtins(meta)}
    try:
        command: Command = strip_nul(msgspec.convert(values, kind))  # type: ignore[assignment]  # a command is a fact here
        msgspec.json.encode(command)
    except msgspec.ValidationError as error:
        found = ERROR_PATH.fullmatch(str(error))
        what, where = (found["what"], camel(found["where"].partition("[")[0])) if found else (str(error), "")
        raise Rejected(where, Code.INVALID, f"{what}. Nothing was changed.") from None
    except UnicodeError:
        why = "An argument contains half of a surrogate pair, which is not text. Nothing was changed."
        raise BadInput(why) from None
    return command


def as_builtins(given: Any, struct: type[Struct]) -> dict[str, Any]:
    """Returns the given values by the names of the struct's fields, without nulls unless the field allows them."""
    values = {}
    for field in fields(struct):
        value = getattr(given, field.name, strawberry.UNSET)
        if value is not strawberry.UNSET and (
            value is not None or msgspec.UnsetType in members_of(without_annotations(field.type))
        ):
            values[field.name] = as_stored(value, field.type)
    return values


def without_annotations(hint: Any) -> Any:
    """Returns the type inside of Annotated."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def value_types(hint: Any) -> list[Any]:
    """Returns the possible types of a given value."""
    every = [without_annotations(member) for member in members_of(without_annotations(hint))]
    return [member for member in every if member not in (NoneType, msgspec.UnsetType)]


def as_stored(value: Any, hint: Any) -> Any:
    inner = value_types(hint)
    match value:
        case Enum():
            return value.value
        case datetime():
            if value.tzinfo is None:
                raise BadInput("A DateTime needs its offset, such as 2026-01-31T12:00:00Z. Nothing was changed.")
            return (value - EPOCH) // timedelta(microseconds=1)
        case list() if value and isinstance(value[0], CustomFieldInput):
            given = [one for one in value if one.value is not strawberry.UNSET]
            return unique_keys([(one.key, ENCODER.encode(one.value).decode()) for one in given])
        case list() if value and isinstance(value[0], SettingInput):
            return unique_keys([(one.key, one.value) for one in value])
        case list():
            each = get_args(inner[0])[0] if get_args(inner[0]) else str
            return {} if get_origin(inner[0]) is dict else [as_stored(one, each) for one in value]
    if inner == [Id]:
        return known_id(value)
    if isinstance(inner[0], type) and issubclass(inner[0], Struct):
        return as_builtins(value, inner[0])
    return value


def unique_keys(pairs: list[tuple[str, str]]) -> dict[str, str]:
    """Returns the pairs as a dict. Raises BadInput when a key is given twice, as one of its values would be lost."""
    keys = [key for key, _ in pairs]
    for key in keys:
        if keys.count(key) > 1:
            raise BadInput(f"`{key}` is given twice. Nothing was changed. Give it once.")
    return dict(pairs)


def camel(path: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)
