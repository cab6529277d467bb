"""The input of a mutation, read off its command: the same fields, what is said about them, and how they are kept."""

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
from crm.decisions import printable
from crm.decisions.workspace import EPOCH
from crm.projection import members_of
from crm.scalars import Id, Micros
from crm.shared import Meta

SCALARS: dict[Any, Any] = {Id: strawberry.ID, Micros: datetime, int: Long, str: str, bool: bool}
MADE: dict[Any, Any] = {}  # GraphQL's type of each struct and enum
PLACE = re.compile(r"(?P<what>.*) - at `\$\.?(?P<where>.*)`")


@strawberry.input(description="A custom field and its value.")
class CustomFieldInput:
    key: str = strawberry.field(description="The key that it was defined with.")
    value: JSON | None = strawberry.field(
        default=strawberry.UNSET,
        description="What fits its type; a number keeps all digits. Null takes the field away, not given leaves it.",
    )


@strawberry.input(description="A setting of a connection.")
class SettingInput:
    key: str = strawberry.field(description="As the connector calls it.")
    value: str = strawberry.field(description="Its value; it is kept as a secret.")


def input_type(struct: type[Struct]) -> Any:
    """The GraphQL input of a command, or of a part of one."""
    if struct not in MADE:
        name = f"{struct.__name__}Input"
        hints = get_type_hints(struct, include_extras=True)
        cls = type(name, (), {"__module__": __name__, "__annotations__": {}})
        for field in fields(struct):
            about = about_of(hints[field.name])
            if field.name == "meta" or about.extra == HIDDEN:
                continue
            given = graphql_type(hints[field.name])
            optional = field.default is not NODEFAULT or field.default_factory is not NODEFAULT
            cls.__annotations__[field.name] = given | None if optional else given
            default = {"default": strawberry.UNSET} if optional else {}
            setattr(cls, field.name, strawberry.field(description=about.description, **default))
        MADE[struct] = strawberry.input(cls, name=name, description=struct.__doc__)
    return MADE[struct]


def about_of(hint: Any) -> msgspec.Meta:
    found = [said for said in getattr(hint, "__metadata__", ()) if isinstance(said, msgspec.Meta)]
    return next((said for said in reversed(found) if said.description or said.extra), msgspec.Meta())


def graphql_type(hint: Any) -> Any:
    """Without `None`: whether a value must be given is for the field to say."""
    if hint == Fields:
        return GenericAlias(list, CustomFieldInput)
    (hint,) = said_by(hint)
    if hint == dict[str, str]:
        return GenericAlias(list, SettingInput)
    if get_origin(hint) is tuple:
        return GenericAlias(list, graphql_type(get_args(hint)[0]))
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        if hint not in MADE:
            MADE[hint] = strawberry.enum(hint, description=hint.__doc__)
        return MADE[hint]
    return input_type(hint) if isinstance(hint, type) and issubclass(hint, Struct) else SCALARS[hint]


def command_of(kind: type[Command], given: Any, meta: Meta, hidden: dict[str, Any]) -> Command:
    """Raises Rejected when a value is not as the command wants it, BadInput when it can be kept nowhere."""
    told = {**plain(given, kind), **hidden, "meta": msgspec.to_builtins(meta)}
    try:
        command: Command = printable(msgspec.convert(told, kind))  # type: ignore[assignment]  # a command is a fact here
        msgspec.json.encode(command)
    except msgspec.ValidationError as error:
        found = PLACE.fullmatch(str(error))
        what, where = (found["what"], camel(found["where"].partition("[")[0])) if found else (str(error), "")
        raise Rejected(where, Code.INVALID, f"{what}. Nothing was changed.") from None
    except UnicodeError:
        raise BadInput("An argument holds half a character, which nothing can keep. Nothing was changed.") from None
    return command


def plain(given: Any, struct: type[Struct]) -> dict[str, Any]:
    """What the caller gave, by the names of the struct's fields; null is not given, but where it means something."""
    said = {}
    for field in fields(struct):
        value = getattr(given, field.name, strawberry.UNSET)
        if value is not strawberry.UNSET and (value is not None or msgspec.UnsetType in members_of(bare(field.type))):
            said[field.name] = kept(value, field.type)
    return said


def bare(hint: Any) -> Any:
    """Without what is said about it."""
    return get_args(hint)[0] if get_origin(hint) is Annotated else hint


def said_by(hint: Any) -> list[Any]:
    """The types of a value that is there."""
    every = [bare(member) for member in members_of(bare(hint))]
    return [member for member in every if member not in (NoneType, msgspec.UnsetType)]


def kept(value: Any, hint: Any) -> Any:
    inner = said_by(hint)
    match value:
        case Enum():
            return value.value
        case datetime():
            if value.tzinfo is None:
                raise BadInput("A moment needs its zone, such as 2026-01-31T12:00:00Z. Nothing was changed.")
            return (value - EPOCH) // timedelta(microseconds=1)
        case list() if value and isinstance(value[0], CustomFieldInput):
            given = [one for one in value if one.value is not strawberry.UNSET]
            return once([(one.key, ENCODER.encode(one.value).decode()) for one in given])
        case list() if value and isinstance(value[0], SettingInput):
            return once([(one.key, one.value) for one in value])
        case list():
            each = get_args(inner[0])[0] if get_args(inner[0]) else str
            return {} if get_origin(inner[0]) is dict else [kept(one, each) for one in value]
    if inner == [Id]:
        return known_id(value)
    if isinstance(inner[0], type) and issubclass(inner[0], Struct):
        return plain(value, inner[0])
    return value


def once(said: list[tuple[str, str]]) -> dict[str, str]:
    """Raises BadInput when a key comes twice: one of its values would be lost."""
    keys = [key for key, _ in said]
    for key in keys:
        if keys.count(key) > 1:
            raise BadInput(f"`{key}` is given twice. Nothing was changed. Give it once.")
    return dict(said)


def camel(path: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), path)
