"""Defines types of objects by a file, and lists those of a workspace."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import msgspec
from psycopg import AsyncConnection
from psycopg.rows import dict_row

from crm.commands import Code, Rejected
from crm.decisions.commands.object_type_define import ObjectTypeDefine, object_type_define
from crm.engine.run_command import carry_out
from crm.envelope import now
from crm.scalars import Id
from crm.shared import Meta

COMMAND_LINE = "crm object"
TYPES = """
SELECT key, label, plural, statuses, fields, retired, version FROM read.object_type WHERE workspace = %s ORDER BY key"""


class Outcome(NamedTuple):
    """The result for one type: defined, unchanged or refused, and why it was refused."""

    type: str
    result: str
    why: str = ""


def read_types(file: Path) -> list[dict[str, Any]]:
    """Reads one type or a list of types. Raises ValueError."""
    try:
        given: Any = msgspec.json.decode(file.read_bytes())
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} is no JSON: {error}. Nothing was changed.") from None
    types = given if isinstance(given, list) else [given]
    if not types or not all(isinstance(kind, dict) for kind in types):
        raise ValueError(f"{file} has no type: give an object with `key` and `fields`, or a list of them.")
    return types


async def define_types(dsn: str, workspace: Id, types: Sequence[dict[str, Any]]) -> list[Outcome]:
    """Defines each type in its own transaction, so that one refusal does not hold up the others. Raises ValueError
    before anything is changed when a type has a field that no type has, or a value of another kind."""
    commands = [command_of(workspace, kind) for kind in types]
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        return [await define(conn, command) for command in commands]


def command_of(workspace: Id, kind: dict[str, Any]) -> ObjectTypeDefine:
    id, at = Id(str(uuid4())), now()
    meta = Meta(id, workspace, id, at, at, "api", id, actor=COMMAND_LINE)
    known = {field for field in ObjectTypeDefine.__struct_fields__ if field != "meta"}
    if unknown := sorted(kind.keys() - known):
        raise ValueError(f"A type has no {', '.join(unknown)}; it has {', '.join(sorted(known))}. Nothing was changed.")
    try:
        return msgspec.convert({"meta": msgspec.to_builtins(meta), **kind}, ObjectTypeDefine)
    except msgspec.ValidationError as error:
        raise ValueError(f"The type {kind.get('key', '')!r}: {error}. Nothing was changed.") from None


async def define(conn: AsyncConnection, command: ObjectTypeDefine) -> Outcome:
    try:
        await carry_out(conn, object_type_define, command)
    except Rejected as refusal:
        if refusal.code is Code.UNCHANGED:
            return Outcome(command.key, "unchanged")
        return Outcome(command.key, "refused", refusal.message)
    return Outcome(command.key, "defined")


async def types_of(dsn: str, workspace: Id) -> list[dict[str, Any]]:
    async with await AsyncConnection.connect(dsn, row_factory=dict_row) as conn:
        return await (await conn.execute(TYPES, [workspace])).fetchall()
