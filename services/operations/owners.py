"""The salespeople of a workspace, read from the state of decisions and changed by commands."""

import getpass
from collections.abc import Mapping

import msgspec
from psycopg import AsyncConnection

from crm.decisions.commands import COMMANDS
from crm.engine.run_command import carry_out
from crm.scalars import Id
from crm.state import Owner
from services.operations.rules_in_force import command, require_workspace

ALL = """SELECT value::text FROM core.state
WHERE workspace = %s AND key >= 'Owner/' AND key < 'Owner0'"""  # 0 is the character after /
ONE = "SELECT value::text FROM core.state WHERE workspace = %s AND key = %s"


async def owners_of(dsn: str, workspace: Id) -> list[Owner]:
    """Returns the owners, active ones first, by key. Raises ValueError when there is no such workspace."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await require_workspace(conn, workspace)
        rows = await (await conn.execute(ALL, [workspace])).fetchall()
    found = [msgspec.json.decode(value, type=Owner) for (value,) in rows]
    return sorted(found, key=lambda owner: (not owner.active, owner.key))


async def carry_out_one(dsn: str, workspace: Id, name: str, given: Mapping[str, object]) -> Owner:
    """Carries out a command on an owner, and returns the owner after it.

    Raises Rejected, and ValueError when there is no such workspace or a value does not fit: nothing is changed then.
    """
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await require_workspace(conn, workspace)
        made = command(name, workspace, getpass.getuser(), given)
        done = await carry_out(conn, COMMANDS[name], made)
        row = await (await conn.execute(ONE, [workspace, f"{Owner.__name__}/{done.subject}"])).fetchone()
    assert row
    return msgspec.json.decode(row[0], type=Owner)
