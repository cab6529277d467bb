"""Executes statements of plans with libpq directly, because a psycopg cursor costs more than a small answer.

Each statement is prepared once per connection, and its result is passed on as Postgres sent it.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus

from api.sql.pool import Connection

PREPARED = 300  # statements that one connection keeps


async def text(connection: Connection, statement: bytes, parameters: Sequence[bytes]) -> bytes:
    """Returns the one value of the one row. Raises psycopg.Error.

    When cancelled it leaves the connection in the middle of a result, so it is not reusable.
    """
    if (name := connection.plans.get(statement)) is None:
        name = await prepare(connection, statement)
    connection.pgconn.send_query_prepared(name, parameters)
    return (await result(connection)).get_value(0, 0) or b"null"


async def prepare(connection: Connection, statement: bytes) -> bytes:
    if len(connection.plans) >= PREPARED:
        for name in connection.plans.values():
            connection.pgconn.send_query_params(b"DEALLOCATE " + name, None)
            await result(connection)
        connection.plans.clear()
    name = b"plan%d" % len(connection.plans)
    connection.pgconn.send_prepare(name, statement)
    await result(connection)
    connection.plans[statement] = name
    return name


async def result(connection: Connection) -> Any:
    """Waits for the result of what was sent. Raises psycopg.Error."""
    pg, loop = connection.pgconn, asyncio.get_running_loop()
    while pg.flush():
        await ready(loop, pg.socket, loop.add_writer, loop.remove_writer)
    while pg.is_busy():
        await ready(loop, pg.socket, loop.add_reader, loop.remove_reader)
        pg.consume_input()
    found = pg.get_result()
    while pg.get_result():
        pass
    if found is None:
        raise psycopg.OperationalError("the connection was lost")
    if found.status not in (ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK):
        raise error_from_result(found)
    return found


async def ready(loop: asyncio.AbstractEventLoop, socket: int, add: Any, remove: Any) -> None:
    event: asyncio.Future[None] = loop.create_future()
    add(socket, wake, event)
    try:
        await event
    finally:
        remove(socket)


def wake(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
