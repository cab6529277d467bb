"""Finds the row that a command names: `deal D-7`, `contact 2f0c…`, one row of any projection."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection

from crm.projection import Projection
from crm.scalars import Id
from projections import PROJECTIONS
from services.cli.target import id_of

BY_NUMBER = "SELECT deal_id::text FROM read.deal WHERE workspace = %s AND number = %s"


def projection_of(name: str) -> Projection[Any]:
    """Returns the projection of that name. Raises ValueError with the known names."""
    try:
        return PROJECTIONS[name]
    except KeyError:
        raise ValueError(f"There is no projection {name!r}. Choose one of {', '.join(PROJECTIONS)}.") from None


async def key_of(conn: AsyncConnection, projection: Projection[Any], workspace: Id, given: str) -> Id:
    """Returns the id of a row, given as id or, for deals, as number (D-7). Raises ValueError when no deal has it."""
    number = given.upper().removeprefix("D-")
    if projection.name != "deal" or not number.isdecimal():
        return id_of(given)
    row = await (await conn.execute(BY_NUMBER, [workspace, int(number)])).fetchone()
    if row is None:
        raise ValueError(f"There is no deal D-{number} in this workspace.")
    return Id(row[0])


@asynccontextmanager
async def read_only_connection(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Opens a read-only connection."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.set_read_only(True)
        yield conn
