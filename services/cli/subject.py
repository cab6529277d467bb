"""What a command is about: `deal D-7`, `contact 2f0c…`, one row of any projection."""

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
    """Raises ValueError with the names there are."""
    try:
        return PROJECTIONS[name]
    except KeyError:
        raise ValueError(f"There is no {name!r}; there are {', '.join(PROJECTIONS)}.") from None


async def key_of(conn: AsyncConnection, projection: Projection[Any], workspace: Id, told: str) -> Id:
    """An id as it is; of deals also a number, as D-7. Raises ValueError when no deal has it."""
    number = told.upper().removeprefix("D-")
    if projection.name != "deal" or not number.isdecimal():
        return id_of(told)
    row = await (await conn.execute(BY_NUMBER, [workspace, int(number)])).fetchone()
    if row is None:
        raise ValueError(f"There is no deal D-{number} in this workspace.")
    return Id(row[0])


@asynccontextmanager
async def reading(dsn: str) -> AsyncIterator[AsyncConnection]:
    """A connection that cannot change anything."""
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        await conn.set_read_only(True)
        yield conn
