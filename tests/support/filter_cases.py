"""Questions of lists for each line of the table of filters, with rows to ask and the answers that Python finds."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from operator import attrgetter
from typing import Any, NamedTuple

from api.schema.field_ranges import COLUMNS, ORDER
from api.schema.lists import LISTS, List
from api.schema.names import camel
from crm.indexes import held_still
from tests.support.filter_rows import ROWS

PAGE = 20
TESTED = tuple(LISTS)


Test = Callable[[Any], bool]


class Case(NamedTuple):
    """One question: a list, its order, `where` as variables, and the conditions in Python."""

    list: str
    order: str
    fields: tuple[str, ...]
    operators: tuple[str, ...]

    def __str__(self) -> str:
        shown = "+".join(f"{field}.{op}" for field, op in zip(self.fields, self.operators, strict=True))
        return f"{self.list} {self.order} {shown or 'none'}"


EQUAL = {
    "text": ("eq", "in"),
    "boolean": ("eq",),
    "uuid": ("eq", "in"),
    "text[]": ("contains",),
    "jsonb": ("equals", "in"),
}


def column_of(listed: List, field: str) -> Any:
    names = {filter.column for filter in listed.where[field].conditions.values()} - {"currency"}
    return next(column for column in listed.projection.columns if column.name in names)


def operators(listed: List, field: str) -> tuple[str, ...]:
    return EQUAL[column_of(listed, field).type]


def cases() -> Iterator[Case]:
    """Yields all pairs of the table: filters by equality with and without a range, and those that find few rows."""
    for name in TESTED:
        listed = LISTS[name]
        for by, served in listed.combinations().items():
            ranges = ("starts_with",) if served.ranged == "name" else ("range", "between")
            for order, fields in product((f"{by}_ASC", f"{by}_DESC"), served.filters):
                for chosen in product(*(operators(listed, field) for field in fields)):
                    if by != ORDER:  # which is one of the rows in a range
                        yield Case(name, order, fields, chosen)
                    for ranged in ranges:
                        yield Case(name, order, (*fields, served.ranged), (*chosen, ranged))
            for field in listed.finding_few():
                for operator in operators(listed, field):
                    if by == ORDER:
                        if field != "fields":
                            yield Case(name, f"{by}_DESC", (field, "fields"), (operator, "range"))
                        continue
                    yield Case(name, f"{by}_ASC", (field,), (operator,))
                    ranged = next(iter(listed.combinations().values())).ranged
                    yield Case(name, f"{by}_DESC", (field, ranged), (operator, "range"))


def plain(row: Any, field: str, listed: List) -> Any:
    """The value of a field as callers write it."""
    column = column_of(listed, field)
    value = getattr(row, "name" if field == "name" else column.name)
    if column.type == "timestamptz" and value is not None:
        return (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=value)).isoformat()
    if field != "amount":
        return value
    return f"{value // 100}.{value % 100:02}" if row.currency == "UAH" else str(value)


def where_of(case: Case, samples: list[Any]) -> tuple[dict[str, Any], list[Test]]:
    """Returns `where`, and for each condition a function that tells whether a row meets it."""
    found = [
        condition(case, field, operator, samples) for field, operator in zip(case.fields, case.operators, strict=True)
    ]
    where = {camel(field): given for field, (given, _) in zip(case.fields, found, strict=True)}
    return where, [test for _, test in found]


def condition(case: Case, field: str, operator: str, samples: list[Any]) -> tuple[Any, Test]:
    """Returns the input of one field, from the values of the sample rows, and the same in Python."""
    listed = LISTS[case.list]
    column = column_of(listed, field)
    get = attrgetter(column.name)
    values, said = list(map(get, samples)), [plain(row, field, listed) for row in samples]
    if column.type == "jsonb" and operator in ("range", "between"):
        key = ranged_key(case)
        lowest, highest = (pick(int(value[key]) for value in values) for pick in (min, max))
        one = {"gte": lowest, "lt": highest} if operator == "range" else {"between": [lowest, highest]}
        last = highest - (operator == "range")
        return [{"key": key, **one}], lambda row: lowest <= int(get(row)[key]) <= last
    if column.type == "jsonb":
        key, among = ranged_key(case), operator == "in"
        texts = [value[key] for value in values][: None if among else 1]
        numbers = [int(text) for text in texts]
        given: Any = [{"key": key, "in": numbers} if among else {"key": key, "equals": numbers[0]}]
        return given, lambda row: get(row)[key] in texts
    match operator:
        case "eq":
            return {"eq": said[0]}, lambda row: bool(get(row) == values[0])
        case "in":
            return {"in": [value for value in said if value]}, lambda row: get(row) in set(values) - {"", None}
        case "contains":
            member = values[0][0] if values[0] else "nothing"
            return {"contains": member}, lambda row: member in get(row)
        case "starts_with":
            begin = said[0][:7].lower()
            return {"startsWith": begin.upper()}, lambda row: bool(row.name.lower().startswith(begin))
    pairs = sorted((value, text) for value, text in zip(values, said, strict=True) if value is not None)
    (low, least), (high, most) = pairs[0], pairs[-1]
    given = {"gte": least, "lt": most} if operator == "range" else {"between": [least, most]}
    upto = high if operator == "between" else high - 1
    code = samples[0].currency if field == "amount" else ""
    if code not in ("", "UAH"):  # UAH is the workspace's
        given["currency"] = code

    def within(row: Any) -> bool:
        return get(row) is not None and low <= get(row) <= upto and (not code or row.currency == code)

    return given, within


def ranged_key(case: Case) -> str:
    return "n" if case.list == "contacts" else "count"


class Expected:
    """What Python finds among the rows of a list: they are sorted once for each order, each condition is tried once."""

    def __init__(self, name: str, rows: list[Any]) -> None:
        self.listed, self.rows = LISTS[name], rows
        self.places: dict[str, dict[int, int]] = {}
        self.met: dict[str, frozenset[int]] = {}

    def ids(self, case: Case, where: dict[str, Any], tests: list[Test]) -> list[str]:
        """Returns the ids of the rows that meet all conditions, in order."""
        place = self.places.get(case.order) or self.sorted_by(case)
        found = set(place)
        for (field, given), test in zip(where.items(), tests, strict=True):
            found &= self.rows_that_meet(f"{field} {given}", test)
        if case.list == "contacts" and "merged_into" not in case.fields:
            found &= self.rows_that_meet("not merged", lambda row: row.merged_into is None)
        return [getattr(self.rows[n], self.listed.projection.key) for n in sorted(found, key=place.__getitem__)]

    def rows_that_meet(self, condition: str, test: Test) -> frozenset[int]:
        if condition not in self.met:
            self.met[condition] = frozenset(n for n, row in enumerate(self.rows) if test(row))
        return self.met[condition]

    def sorted_by(self, case: Case) -> dict[int, int]:
        """Returns the place of each row by its number; rows without the value are left out."""
        order, key = self.listed.orders[case.order], self.listed.projection.key

        def value(n: int) -> list[Any]:
            row = self.rows[n]
            if order.columns == COLUMNS:
                return [
                    int(row.fields[ranged_key(case)]),
                    getattr(row, held_still(self.listed.projection)),
                    getattr(row, key),
                ]
            return [getattr(row, column) for column in order.columns]

        numbers = [
            n
            for n, row in enumerate(self.rows)
            if order.columns == COLUMNS or getattr(row, order.columns[0]) is not None
        ]
        numbers.sort(key=value, reverse=order.newest)
        self.places[case.order] = {n: place for place, n in enumerate(numbers)}
        return self.places[case.order]


def samples_of(case: Case, rows: list[Any]) -> Iterator[list[Any]]:
    """Yields rows whose values are shown for: from both ends and the middle, all in one currency and with a value."""
    listed = LISTS[case.list]
    looked_up = [column_of(listed, field).name for field in case.fields if field in listed.finding_few()]
    for n, at in enumerate((100, ROWS // 2, ROWS - 300)):
        one_currency = [row for row in rows[at:] if getattr(row, "currency", "") in ("", "JPY" if n == 1 else "UAH")]
        fit = (row for row in one_currency if all(getattr(row, name) for name in looked_up))
        near = list(islice(fit, 60))
        yield [near[0], near[len(near) // 3], near[-1]]
