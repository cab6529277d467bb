"""The deals that are asked for, whose values follow from their numbers, and the questions of the table of filters."""

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from hashlib import md5
from itertools import pairwise
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

import psycopg

from api.schema.field_ranges import ORDER
from api.schema.lists import LISTS
from api.schema.names import camel
from crm.adapters.postgres import field_values, totals
from crm.topics import JOURNAL
from projections import PROJECTIONS
from tests.support.workload import dataset

DEALS, PIPELINE = PROJECTIONS["deal"], "pipeline"
BEGAN = datetime(2024, 1, 1, tzinfo=UTC)
SPAN = 3 * 365 * 86_400  # seconds over which the deals are spread
TOUCHED, OPENED, CLOSED = 7919, 6151, 4519  # primes: times are in another order than numbers
SOURCES = "form call chat api"
SEVERAL = 3  # values of `in`
PLACED = 3571  # as the other primes
STATE = "CASE WHEN n * 37 % 100 < 40 THEN 'open' WHEN n * 37 % 100 < 95 THEN 'done' ELSE 'late' END"
KEYS = {"fields": "lot", "state": "state", "place": "place"}  # custom fields: of few rows, of many, and one to sort by
FEW = {"contact_id": "eq", "reference": "eq", "fields": "equals", "external_ids": "contains"}


def fill(conn: psycopg.Connection[Any], workspace: str, count: int) -> None:
    """Adds a pipeline and `count` deals, and counts their totals in each journal partition, as live events do."""
    settings = {"country": "'UA'", "currency": "'UAH'", "timezone": "'Europe/Kyiv'", "stages": "'{stage 0,stage 1}'"}
    dataset.fill(conn, workspace, PIPELINE, 1, {"pipeline_id": dataset.id_of("pipeline"), **settings})
    dataset.fill(conn, workspace, "deal", count, columns(count))
    partition = f"(r.number %% {JOURNAL.partitions})::int".replace("%%", "%")
    cells = totals.cells(DEALS, f"{DEALS.qualified_name} AS r", partition=partition)
    conn.execute(f"INSERT INTO {totals.target(DEALS)} {cells}".encode())
    field_values.fill(conn, DEALS)
    dataset.settle(conn)


def columns(count: int) -> Mapping[str, str]:
    return {
        **dataset.deals(count),
        "source": dataset.pick(SOURCES),
        "reference": "'R-' || n",
        "fields": f"jsonb_build_object('lot', n / 20, 'state', {STATE}, 'place', n * {PLACED} % {count})",
        "external_ids": "ARRAY['shop:' || n]",
        "opened_at": time_of(count, OPENED),
        "touched_at": time_of(count, TOUCHED),
        "closed_at": time_of(count, CLOSED),
    }


def time_of(count: int, prime: int) -> str:
    return f"timestamptz '{BEGAN.isoformat()}' + n * {prime} % {count} * interval '{SPAN // count} seconds'"


def value(field: str, n: int, count: int) -> Any:
    """Returns a field of the n-th deal as callers write it."""
    match field:
        case "stage":
            return f"stage {n % dataset.STAGES}"
        case "owner":
            return f"owner{n % 20}@example.com"
        case "source":
            return SOURCES.split()[n % 4]
        case "number":
            return n + 1
        case "amount":
            return f"{(100_000 + n) / 100:.2f}"
        case "opened_at" | "touched_at" | "closed_at":
            prime = {"opened_at": OPENED, "touched_at": TOUCHED, "closed_at": CLOSED}[field]
            return (BEGAN + timedelta(seconds=n * prime % count * (SPAN // count))).isoformat()
        case "contact_id":
            return str(UUID(bytes=md5(f"contact {n // dataset.DEALS_EACH}".encode()).digest()))
        case "reference":
            return f"R-{n}"
        case "fields":
            return n // 20
        case "state":
            return "open" if n * 37 % 100 < 40 else "done" if n * 37 % 100 < 95 else "late"
        case "place":
            return n * PLACED % count
        case "external_ids":
            return f"shop:{n}"
    raise ValueError(field)


class Case(NamedTuple):
    """A kind of question: an order, the fields compared for equality and how, and the field of a range or ""."""

    order: str
    fields: tuple[str, ...]
    operator: str
    ranged: str

    @property
    def pair(self) -> tuple[str, str]:
        """Returns the order without its direction, and the filters, as the table of docs/graphql.md has them."""
        return self.order.rpartition("_")[0], " + ".join(map(camel, self.fields)) or "none"

    def __str__(self) -> str:
        ranged = f", range of {camel(self.ranged)}" if self.ranged else ""
        return f"{self.order} {self.pair[1]}{f' {self.operator}' if self.fields else ''}{ranged}"


def cases() -> Iterator[Case]:
    """Yields every filter with every order, in both directions, with and without a range, and common values of custom
    fields, alone and with the filters that go with the order."""
    listed = LISTS["deals"]
    few = listed.finding_few()
    for by, served in listed.combinations().items():
        for order in (f"{by}_DESC", f"{by}_ASC"):
            for ranged in ("place",) if by == ORDER else ("", served.ranged):
                for fields in served.filters:
                    for operator in ("eq", "in") if fields else ("",):
                        yield Case(order, fields, operator, ranged)
                    yield Case(order, (*fields, "state"), "eq", ranged)
                for field in few:
                    yield Case(order, (field,), FEW[field], ranged)
    for order in ("CREATED_AT_DESC", "CREATED_AT_ASC", f"{ORDER}_DESC"):
        for fields in (("owner",), ("owner", "state")):
            if order.startswith(ORDER) or "state" in fields:
                yield Case(order, fields, "in", "place" if order.startswith(ORDER) else "")


def where(case: Case, dice: Random, count: int) -> tuple[dict[str, Any], Callable[[int], bool]]:
    """Returns random conditions that deals meet, and a function that tells whether the deal of a number meets them."""
    some = [dice.randrange(count) for _ in range(SEVERAL)]
    found: dict[str, Any] = {}
    wanted: dict[str, list[Any]] = {}
    for field in case.fields:
        values = [value(field, n, count) for n in some]
        wanted[field] = values if case.operator == "in" else values[:1]
        name = "equals" if field in KEYS and case.operator == "eq" else case.operator
        given: Any = {name: values if name == "in" else values[0]}
        if field in KEYS:
            found.setdefault("fields", []).append({"key": KEYS[field], **given})
        else:
            found[camel(field)] = given
    low: Any = None
    if case.ranged:
        low = value(case.ranged, some[0], count)
        if case.ranged in KEYS:
            found.setdefault("fields", []).append({"key": KEYS[case.ranged], "gte": low})
        else:
            found[camel(case.ranged)] = {"gte": low}

    def meets(number: int) -> bool:
        n = number - 1
        equal = all(value(field, n, count) in values for field, values in wanted.items())
        return equal and (not case.ranged or comparable(value(case.ranged, n, count)) >= comparable(low))

    return found, meets


def comparable(value: Any) -> Any:
    """Returns a value that sorts as the API sorts it: amounts are texts there."""
    return float(value) if isinstance(value, str) and value.replace(".", "", 1).isdigit() else value


def sorted_as(case: Case, numbers: list[int], count: int) -> bool:
    """Tells whether the deals of these numbers are in the order of the case."""
    by, _, direction = case.order.rpartition("_")
    field = {"CREATED_AT": "opened_at", ORDER: "place"}.get(by, by.lower())
    values = [comparable(value(field, number - 1, count)) for number in numbers]
    return all(a >= b if direction == "DESC" else a <= b for a, b in pairwise(values))
