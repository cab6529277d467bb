"""Connections to Postgres, with ids loaded as text and exact numbers in JSON."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
from psycopg.abc import Buffer
from psycopg.rows import DictRow, dict_row
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from api.errors import BadInput, TooCommon, TooSlow, Unavailable
from api.sql import wire
from api.sql.pool import OPTIONS, Connection, Pool

CANNOT_STORE = "An argument has text or a number that Postgres cannot store. Nothing was read."
TOO_MANY = "walked "  # begins the text that is no flag, by which a statement fails that reads too many rows
json_decoder = msgspec.json.Decoder(float_hook=Decimal)


def pool(dsn: str, size: int = 8) -> Pool:
    """Returns a pool that is not open yet."""

    async def connect() -> Connection:
        connection = await Connection.connect(dsn, autocommit=True, row_factory=dict_row, options=OPTIONS)
        await configure(connection)
        return connection

    return Pool(connect, size)


class WithinCalendar(TimestamptzLoader):
    """Loads a time that Python cannot represent as the nearest one, so that one absurd date does not break a list."""

    def load(self, data: Buffer) -> datetime:
        try:
            return super().load(data)
        except psycopg.DataError:
            return (datetime.min if bytes(data).endswith(b"BC") else datetime.max).replace(tzinfo=UTC)


async def configure(connection: Connection) -> None:
    connection.adapters.register_loader("uuid", TextLoader)
    connection.adapters.register_loader("timestamptz", WithinCalendar)
    set_json_loads(json_decoder.decode, connection)


async def rows(pool: Pool, statement: str, parameters: dict[str, Any], one_plan: bool = False) -> list[DictRow]:
    """Returns rows of `parameters["workspace"]`. `one_plan`: planned once for each connection, whatever the values are.

    Raises BadInput when a value cannot be in any row, TooSlow on a timeout, Unavailable when Postgres does not answer.
    """

    async def read(connection: Connection) -> list[DictRow]:
        if not one_plan:
            return await (await connection.execute(statement.encode(), parameters)).fetchall()
        async with connection.pipeline(), connection.transaction():
            await connection.execute("SET LOCAL plan_cache_mode = force_generic_plan")
            found = await connection.execute(statement.encode(), parameters, prepare=True)
        return await found.fetchall()

    with translate_errors():
        return await pool.run(parameters["workspace"], read)


async def text(pool: Pool, statement: bytes, parameters: list[str]) -> bytes:
    """Returns the one value of the one row, as Postgres sends it. Raises what `rows` raises.

    Placeholders are $1, which is the workspace, $2 and so on.
    """
    with translate_errors():
        sent = [parameter.encode() for parameter in parameters]
        if any(b"\0" in parameter for parameter in sent):
            raise psycopg.DataError("Postgres text cannot contain a NUL byte")
        return await pool.run(parameters[0], lambda connection: wire.text(connection, statement, sent))


@contextmanager
def translate_errors() -> Iterator[None]:
    """Translates errors of psycopg into errors for callers."""
    try:
        yield
    except psycopg.errors.InvalidTextRepresentation as error:
        if f'"{TOO_MANY}' in str(error):
            raise TooCommon("A custom field has this value in many rows. Nothing was read.") from None
        raise BadInput(CANNOT_STORE) from None
    except (psycopg.DataError, UnicodeError):
        raise BadInput(CANNOT_STORE) from None
    except psycopg.errors.QueryCanceled:
        raise TooSlow("The query was stopped after 10 s. Nothing was read. Ask for less at a time.") from None
    except (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError) as error:
        name = type(error).__name__
        raise Unavailable(f"The database does not answer ({name}). Nothing was read; try again.") from None
