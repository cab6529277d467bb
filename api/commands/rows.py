"""The row that a command changed, as it is now: its events are folded over what the read model has so far."""

import asyncio
import time
from datetime import timedelta
from typing import Any

import msgspec
from msgspec.structs import asdict

from api.context import Context
from api.sql.database import exact, rows
from api.sql.reads import shaped
from crm.adapters.postgres import read_models
from crm.adapters.postgres.state import as_json
from crm.decisions.workspace import EPOCH
from crm.engine.run_command import Done
from crm.envelope import Row
from crm.projection import Projection
from crm.scalars import Id
from projections import PROJECTIONS

PATIENCE = 1.0  # seconds that a read model may lag behind what was decided before this command
LOOK_AGAIN = 0.02


async def row_after(context: Context, done: Done) -> dict[str, Any] | None:
    """Shaped as every row is. None when it is gone; what there is when the read model lags too far behind."""
    projection = PROJECTIONS[done.row]
    events = [e for e in done.events if isinstance(e, projection.handles) and projection.key_of(e) == done.subject]
    until = time.monotonic() + PATIENCE
    while True:
        row = await stored(context, projection, done.subject)
        has = getattr(row, "version", 0) if row else 0
        if done.version is None or has == done.version - len(events):
            for event in events:
                row = projection.fold(row, event)
            break
        if has >= done.version or time.monotonic() > until:
            break
        await asyncio.sleep(LOOK_AGAIN)  # an earlier command's events are on their way through Kafka
    return None if row is None else shaped(projection, as_read(projection, row))


async def stored(context: Context, projection: Projection[Any], key: Id) -> Row | None:
    """As project loads it."""
    wanted = as_json([{"workspace": context.token.workspace, "key": key}])
    statement = read_models.load(projection).replace("%s", "%(keys)s", 1)
    found = await rows(context.pool, statement, {"workspace": context.token.workspace, "keys": wanted})
    row: Row | None = msgspec.json.decode([*found[0].values()][1], type=projection.row) if found else None
    return row


def as_read(projection: Projection[Any], row: Row) -> dict[str, Any]:
    """The values as the API reads them from Postgres."""
    told = asdict(row)
    for column in projection.columns:
        value = told[column.name]
        if column.type == "timestamptz" and value is not None:
            told[column.name] = EPOCH + timedelta(microseconds=value)
        elif column.type == "jsonb":
            told[column.name] = {name: exact.decode(text) for name, text in value.items()}
        elif column.type == "text[]":
            told[column.name] = list(value)
    return told
