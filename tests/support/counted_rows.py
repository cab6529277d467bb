"""Counts rows as totals must: cell by cell, by the calendar of Python. And reads the cells that are kept."""

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg import AsyncConnection

from crm import totals
from crm.adapters.postgres import totals as kept
from crm.moments import nearest
from crm.projection import Projection

Cell = tuple[Any, ...]  # the values of crm.adapters.postgres.totals.keys, the period as ISO text


def count_rows(projection: Projection[Any], rows: Iterable[tuple[str, Any]]) -> dict[Cell, dict[str, int]]:
    """Returns the cells of rows, each with its workspace."""
    found: dict[Cell, dict[str, int]] = {}
    for workspace, row in rows:
        for total in totals.totals(projection):
            values = {name: text_of(getattr(row, name)) for name in total.columns}
            groups = [values.get(name, "") for name in totals.groups(projection)]
            currency = [row.currency] if totals.in_currencies(projection) else []
            for grain, period in periods(total, row):
                cell = found.setdefault((workspace, total.name, grain, period, *groups, *currency), {})
                for name, number in numbers(projection, row).items():
                    cell[name] = cell.get(name, 0) + number
    return found


def text_of(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)[: totals.LONGEST]


def periods(total: totals.Total, row: Any) -> list[tuple[str, str]]:
    if not total.time:
        return [(totals.ALL, "1970-01-01T00:00:00+00:00")]
    if (moment := getattr(row, total.time)) is None:
        return []
    day = nearest(moment).replace(hour=0, minute=0, second=0, microsecond=0)
    begins = {totals.MONTH: day.replace(day=1), totals.DAY: day}
    return [(grain, begin.isoformat()) for grain, begin in begins.items()]


def numbers(projection: Projection[Any], row: Any) -> Mapping[str, int]:
    required = {column.name: column.required for column in projection.columns}
    found = {"count": 1}
    for name in projection.summed:
        value = getattr(row, name)
        found[name] = value or 0
        if not required[name]:
            found[f"{name}_count"] = int(value is not None)
    return found


async def kept_cells(conn: AsyncConnection, projection: Projection[Any], workspace: str) -> dict[Cell, dict[str, int]]:
    """Returns the cells of a workspace that are not empty, partitions added up."""
    keys, sums = kept.keys(projection), [*kept.numbers(projection)]
    await conn.execute("SET timezone = 'UTC'")
    query = (
        f"SELECT {', '.join(keys)}, {', '.join(f'sum({name})' for name in sums)} FROM {kept.table(projection)} "
        f"WHERE workspace = %s GROUP BY {', '.join(keys)}"
    )
    found = {}
    async for row in await conn.execute(query.encode(), [workspace]):
        cell = (str(row[0]), row[1], row[2], row[3].isoformat(), *row[4 : len(keys)])
        values = {name: int(value) for name, value in zip(sums, row[len(keys) :], strict=True)}
        if any(values.values()):
            found[cell] = values
    return found
