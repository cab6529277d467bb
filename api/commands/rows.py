"""The row that a command changed: its new events folded over the row in the read model."""

import asyncio
import time
from datetime import timedelta
from typing import Any

from msgspec.structs import asdict

from api.context import Context
from api.sql.database import json_decoder, rows
from api.sql.reads import shaped
from crm.adapters.postgres import read_models
from crm.decisions.workspace import EPOCH
from crm.engine.run_command import CommandResult
from crm.envelope import Row
from crm.projection import Projection
from crm.scalars import Id
from projections import PROJECTIONS

PATIENCE = 1.0  # seconds to wait for a read model that lags behind earlier events
LOOK_AGAIN = 0.02


async def row_after(context: Context, done: CommandResult) -> dict[str, Any] | None:
    """Returns the row, shaped for GraphQL; None when it is gone.

    When the read model lags too far behind, returns the row as the read model has it.
    """
    projection = PROJECTIONS[done.row]
    events = [e for e in done.events if isinstance(e, projection.handles) and projection.key_of(e) == done.subject]
    until = time.monotonic() + PATIENCE
    while True:
        row = await stored_row(context, projection, done.subject)
        has = getattr(row, "version", 0) if row else 0
        if done.version is None or not projection.needs_row or has == done.version - len(events):
            for event in events:
                row = projection.fold(row, event)
            break
        if has >= done.version or time.monotonic() > until:
            break
        await asyncio.sleep(LOOK_AGAIN)  # the events of an earlier command have not been projected yet
    return None if row is None else shaped(projection, as_read(projection, row))


async def stored_row(context: Context, projection: Projection[Any], key: Id) -> Row | None:
    """Returns the row of the read model, loaded as the project role does."""
    workspace = context.token.workspace
    statement = read_models.load(projection).replace("%s", "%(workspaces)s", 1).replace("%s", "%(keys)s", 1)
    found = await rows(context.pool, statement, {"workspace": workspace, "workspaces": [workspace], "keys": [key]})
    return read_models.reader(projection)([*found[0].values()][1]) if found else None


def as_read(projection: Projection[Any], row: Row) -> dict[str, Any]:
    """Returns the values as the API reads them from Postgres."""
    values = asdict(row)
    for column in projection.columns:
        value = values[column.name]
        if column.type == "timestamptz" and value is not None:
            values[column.name] = EPOCH + timedelta(microseconds=value)
        elif column.type == "jsonb":
            values[column.name] = {name: json_decoder.decode(text) for name, text in value.items()}
        elif column.type == "text[]":
            values[column.name] = list(value)
    return values
