"""The totals of the API: a field of Query for each projection that declares any, such as `dealTotals`."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from enum import Enum
from functools import cache
from itertools import groupby, islice
from types import GenericAlias
from typing import Any

import strawberry

from api.context import Info
from api.errors import TooMuch
from api.schema.fields import Argument, field
from api.schema.filters import text_of
from api.schema.names import camel, type_name
from api.schema.nodes import TYPES, declare, many
from api.schema.scalars import Long, Money
from api.sql import extremes
from api.sql import totals as reading
from api.sql.totals import EVER, Question, Row
from crm import totals, zones
from crm.moments import micros
from crm.periods import Period, spans, whole
from crm.projection import Projection
from crm.totals import Part, parts
from projections import PROJECTIONS

PERIODS = 400  # in one answer
COUNTED = {name: p for name, p in PROJECTIONS.items() if p.totals}
Periods: Any = strawberry.enum(Period, description="A calendar period of the workspace's time zone.")
ZONE = "SELECT t.timezone FROM read.pipeline AS t WHERE t.workspace = %(workspace)s"
ABOUT = {
    "period": "Returns a total for each of these periods instead of one. Periods without anything are left out.",
    "from": "Counts from this moment on.",
    "to": "Counts up to before this moment.",
}
SUM = ("The sum of a number over the objects that have it.", {"sum": Long, "count": Long, "average": float | None})


def enum_of(name: str, about: str, columns: Sequence[str]) -> Any:
    members = {c.upper(): strawberry.enum_value(c, description=f"`{camel(c)}` of the object.") for c in columns}
    made: Any = Enum(name, members)  # type: ignore[misc]  # a table
    return strawberry.enum(made, description=about)


@cache
def is_boolean(projection: Projection[Any], name: str) -> bool:
    return any(column.name == name and column.type == "boolean" for column in projection.columns)


def value(projection: Projection[Any], name: str, text: str) -> Any:
    """Returns a group's value, which is kept as text."""
    return text == "true" if is_boolean(projection, name) else text


def sum_name(column: str) -> str:
    return column.removesuffix("_minor")


def shaped(projection: Projection[Any], by: tuple[str, ...], same: list[Row], begin: Any, end: Any) -> Row:
    """Returns one total from its rows, which differ in their currency only."""
    found: Row = {
        name: value(projection, name, same[0][name]) if name in by else None for name in totals.groups(projection)
    }
    found |= {"from_": begin, "to": end, "count": sum(int(row["count"]) for row in same)}
    for name in projection.summed:
        if name.endswith("_minor"):
            found[sum_name(name)] = [Money(minor=Long(int(row[name])), currency=row["currency"]) for row in same]
        else:
            added = sum(int(row[name]) for row in same)
            count = sum(int(row[f"{name}_count" if f"{name}_count" in row else "count"]) for row in same)
            found[name] = {"sum": added, "count": count, "average": round(added / count, 3) if count else None}
    for name in extremes.columns(projection):
        for end in extremes.ENDS:
            known = [
                (row[extremes.field(name, end)], row["currency"]) for row in same if extremes.field(name, end) in row
            ]
            amounts = [Money(minor=Long(int(minor)), currency=code) for minor, code in known if minor is not None]
            found[extremes.field(name, end)] = amounts
    return found


def selects(selected: Iterable[Any], names: Collection[str]) -> bool:
    """Tells whether one of these fields is selected, perhaps in a fragment."""
    return any(getattr(one, "name", "") in names or selects(one.selections, names) for one in selected)


def numbered(found: list[tuple[datetime, datetime]]) -> Iterator[tuple[int, Part]]:
    for n, (begin, end) in enumerate(found):
        yield from ((n, part) for part in parts(micros(begin), micros(end)))


def resolver(projection: Projection[Any]) -> Any:
    lowest_and_highest = {
        camel(extremes.field(name, end)) for name in extremes.columns(projection) for end in extremes.ENDS
    }

    async def body(
        _: Any,
        info: Info,
        by: list[Any] | None = None,
        time: Any = None,
        period: Period | None = None,
        from_: datetime | None = None,
        to: datetime | None = None,
        **filters: list[Any] | None,
    ) -> list[Row]:
        reads, begin, end = info.context.reads, from_, to
        timed = period or begin or end
        given = {name: [*map(text_of, values)] for name, values in filters.items() if values is not None}
        question = Question(tuple(dict.fromkeys(each.value for each in by or ())), given, time.value if timed else "")
        total = reading.total_for(projection, question)
        if with_ends := selects(info.selected_fields, lowest_and_highest):
            extremes.refuse_others(projection, question.by, [*given], bool(timed))
        if not timed:
            found = await reading.read(reads, projection, total, question, [(0, EVER)])
            periods: list[tuple[Any, Any]] = [(None, None)]
        else:
            zone = next((zones.of_workspace(row["timezone"]) for row in await reads.rows(ZONE)), zones.zone("UTC"))
            if not (begin and end):
                known = await reading.extent(reads, projection, total)
                if not known:
                    return []
                ends = known["begin"], known["end"]
                first, last = whole(period, zone, *ends) if period else ends
                begin, end = begin or first, end or last
            periods = [*islice(spans(period, zone, begin, end), PERIODS + 1)]
            if len(periods) > PERIODS:
                raise TooMuch(
                    f"From {begin.isoformat()} to {end.isoformat()} there are more than {PERIODS} periods. Nothing "
                    "was read. Give `from` and `to`, or ask for longer periods."
                )
            found = await reading.read(reads, projection, total, question, [*numbered(periods)])

        if with_ends:
            await extremes.add(reads, projection, question.by, found)

        def key(row: Row) -> tuple[Any, ...]:
            return row["span"], *(row[name] for name in question.by)

        return [shaped(projection, question.by, [*same], *periods[at[0]]) for at, same in groupby(found, key)]

    return body


def totals_field(projection: Projection[Any]) -> Any:
    kind, groups, times = type_name(projection.name), totals.groups(projection), totals.times(projection)
    group = enum_of(f"{kind}TotalGroup", f"What totals of {kind} objects can be grouped by.", groups)
    arguments = {
        "by": Argument(GenericAlias(list, group) | None, None, "What to group by. Default: one total of everything.")
    }
    if times:
        time = enum_of(f"{kind}TotalTime", f"Times by which {kind} objects can be counted.", times)
        arguments |= {
            "time": Argument(time, time(times[0]), "The time that `period`, `from` and `to` refer to."),
            "period": Argument(Periods | None, None, ABOUT["period"]),
            "from_": Argument(datetime | None, None, ABOUT["from"]),
            "to": Argument(datetime | None, None, ABOUT["to"]),
        }
    for name in groups:
        kind_of = bool if is_boolean(projection, name) else str
        about = f"Only objects with one of these values of `{camel(name)}`."
        arguments[name] = Argument(GenericAlias(list, kind_of) | None, None, about)
    there = "; ".join(reading.named(total) for total in totals.totals(projection))
    about = (
        f"Counts and sums of {kind} objects, kept at each change and never scanned. Columns go together in: {there}."
    )
    return field(many(f"{kind}Total"), arguments, resolver(projection), about, plain=True)


def declare_total(projection: Projection[Any]) -> None:
    kind = type_name(projection.name)
    hints: dict[str, Any] = {"from_": datetime | None, "to": datetime | None}
    fields: dict[str, Any] = {
        "from_": strawberry.field(name="from", description="Begin of the period; null when no time was asked about."),
        "to": strawberry.field(description="The moment after the period; null when no time was asked about."),
    }
    for name in totals.groups(projection):
        hints[name] = (bool if is_boolean(projection, name) else str) | None
        fields[name] = strawberry.field(description=f"`{camel(name)}` of the objects; null when not grouped by it.")
    hints["count"], fields["count"] = Long, strawberry.field(description="Number of objects.")
    for name in projection.summed:
        if name.endswith("_minor"):
            hints[sum_name(name)] = GenericAlias(list, Money)
            about = f"Sum of `{camel(sum_name(name))}` in each currency."
        else:
            hints[name], about = TYPES["NumberTotal"], f"Sum of `{camel(name)}`."
        fields[sum_name(name)] = strawberry.field(description=about)
    for name in extremes.columns(projection):
        for end, which in (("min", "Lowest"), ("max", "Highest")):
            hints[extremes.field(name, end)] = GenericAlias(list, Money)
            by = " or ".join(
                " and ".join(f"`{camel(c)}`" for c in one) or "nothing" for one in extremes.groups(projection, name)
            )
            about = f"{which} `{camel(sum_name(name))}` in each currency. Served when grouped by {by}, without a time."
            fields[extremes.field(name, end)] = strawberry.field(description=about)
    declare(f"{kind}Total", f"Count and sums of {kind} objects that have these values.", hints, fields)


TYPES |= {f"{type_name(name)}Total": type(f"{type_name(name)}Total", (), {"__module__": __name__}) for name in COUNTED}
TYPES["NumberTotal"] = type("NumberTotal", (), {"__module__": __name__})
declare(
    "NumberTotal",
    SUM[0],
    SUM[1],
    {
        "sum": strawberry.field(description="The sum."),
        "count": strawberry.field(description="Number of objects that have a value."),
        "average": strawberry.field(description="The sum by this number, to three digits; null when none has one."),
    },
)
for counted in COUNTED.values():
    declare_total(counted)
TOTALS = {f"{name}_totals": totals_field(counted) for name, counted in COUNTED.items()}
