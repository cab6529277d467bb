"""Pages by the value of a custom field: how many rows have it decides how they are read.

The few rows of a rare value are read first. For a common one the rows are read in their order, by the index of the
order or by that of values, until the page is full. Neither reads more than a bound; then the statement fails.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from api.schema import field_ranges
from api.schema.lists import MAX_PAGE, List
from api.sql.cursors import Order
from api.sql.database import TOO_MANY
from api.sql.source import Source
from api.sql.statements import COUNTED, columns
from crm import indexes
from crm.adapters.postgres.field_values import LONGEST, PARTS, SINGLE, VALUE

FEW = 10_000  # rows of a rare value
WALKED = 50_000  # rows that are read to find a page: half a second at worst


def bounded(rows: str, most: int, conditions: Iterable[str], by: str = "") -> str:
    """Returns the source of the rows that meet conditions; a statement fails that reads more than `most` for it.

    `by`: the order in which the rows, as `t`, come. The planner forgets it where it is not named, and then reads all.
    """
    window = f"ORDER BY {by}" if by else ""
    numbered = f"SELECT t.*, row_number() OVER ({window}) AS walked FROM ({rows} LIMIT {most + 1}) AS t"
    failed = f"WHEN t.walked > {most} THEN ('{TOO_MANY}' || t.walked)::boolean"
    return f"({numbered}) AS t WHERE CASE {failed} ELSE {' AND '.join(conditions)} END"


def too_common(listed: List, order: Order) -> str:
    """Returns why a page is refused for the values of its custom fields, as a sentence for people."""
    name = next(name for name, known in listed.orders.items() if known is order)
    begun = next(o for o in listed.orders if listed.order_of(o) == (indexes.held_still(listed.projection),))
    return (
        f"Too many rows have these values of custom fields to sort them by {name}, and too few of the {WALKED:,} rows "
        "that are read in that order meet all conditions. Nothing was read. A value that up to "
        f"{FEW:,} rows have goes with everything. Any value is served in the order {begun}, or FIELD, without other "
        f"conditions. {listed.about_served()}"
    )


@dataclass(frozen=True)
class PageSource(Source):
    """The rows of any list's page, also of one that is filtered or sorted by custom fields.

    `indexed`: there is an index of values. A release that adds it builds it while its API reads the old rows already:
    until then the rows of a rare value are found without it.
    """

    indexed: bool = True

    def sql(self, beyond: Iterable[str], size: str) -> str:
        if self.by_value:
            return ByValue(self).sql(list(beyond), size)
        if self.order.columns != field_ranges.COLUMNS:
            return super().sql(beyond, size)
        few = self.listed.referring(self.given)
        if not few and self.given.keys() != {field_ranges.RANGE}:
            return self.along_values(beyond, self.chosen(only=self.given.keys() - {field_ranges.RANGE}))
        rest = self.given.keys() - {field_ranges.RANGE, *few}
        rows = f"(SELECT t.* FROM read.{self.listed.projection.name} AS t WHERE {' AND '.join(self.chosen(only=few))}"
        with_values = self.with_values(f"{rows} OFFSET 0)" if few else "")
        return f"{with_values} WHERE {' AND '.join([*self.chosen(only=rest), *beyond])}"

    def counted(self) -> str:
        if self.by_value:
            return ByValue(self).counted()
        in_range = field_ranges.RANGE in self.given and not self.listed.referring(self.given)
        return self.counted_in_range() if in_range else super().counted()

    def counted_in_range(self) -> str:
        """Returns the statement that counts the rows of the list among the first ones that the index has in a range."""
        keys = f"SELECT f.{self.listed.projection.key} FROM {self.values_in_range.format(rows='')} LIMIT {COUNTED + 1}"
        others = self.chosen(only=self.given.keys() - {field_ranges.RANGE})
        row = f", {by_key(self)}" if others[1:] else ""  # the workspace's is met by every value
        met = f"SELECT {' AND '.join(others) if row else 'true'} AS meets FROM ({keys}) AS k{row}"
        return f"SELECT count(*) FILTER (WHERE c.meets) AS n, count(*) > {COUNTED} AS capped FROM ({met}) AS c"

    @property
    def by_value(self) -> bool:
        """Tells whether the equality of custom fields is all that may find few rows."""
        return bool(self.listed.by_value(self.given)) and not self.listed.referring(self.given)

    @property
    def values_in_range(self) -> str:
        """Returns the source of the values that are wanted of the custom field that sorts, with its condition."""
        within = field_ranges.within("f", self.value(field_ranges.RANGE))
        of_workspace = f"WHERE f.workspace = {self.workspace} AND {within}"
        return f"{field_ranges.table(self.listed.projection)} AS f {{rows}} {of_workspace}"

    @property
    def place(self) -> str:
        """Returns the columns of such a value by which rows are sorted."""
        projection = self.listed.projection
        columns_ = ("value", indexes.held_still(projection), projection.key)
        named = zip(columns_, field_ranges.COLUMNS, strict=True)
        return ", ".join(f"f.{column} AS {name}" for column, name in named)

    def with_values(self, rows: str) -> str:
        """Returns the source of rows with their place in the order of a custom field. `rows`: SQL of a few rows, of
        which each is read once; empty for all rows, of which only those with a wanted value are read."""
        name, key = self.listed.projection.name, self.listed.projection.key
        if not rows:
            joined = self.values_in_range.format(
                rows=f"JOIN read.{name} AS t ON t.workspace = f.workspace AND t.{key} = f.{key}"
            )
            return f"(SELECT t.*, {self.place} FROM {joined}) AS t"
        own = f"SELECT {self.place} FROM {self.values_in_range.format(rows='')} AND f.{key} = t.{key} OFFSET 0"
        place = ", ".join(f"v.{name}" for name in field_ranges.COLUMNS)
        return f"(SELECT t.*, {place} FROM {rows} AS t, LATERAL ({own}) AS v) AS t"

    def along_values(self, beyond: Iterable[str], conditions: Iterable[str], gate: str = "true") -> str:
        """Returns the source of rows in the order of a custom field that meet conditions of which no index knows."""
        wanted = f"f.{self.listed.projection.key}, {self.place}"
        keys = f"SELECT {wanted} FROM {self.values_in_range.format(rows='')} AND {gate}"
        by, further = self.order.by("t", self.backwards), " AND ".join(["true", *beyond])
        some = f"SELECT t.* FROM ({keys}) AS t WHERE {further} ORDER BY {by} LIMIT {WALKED + 1}"
        place = ", ".join(f"k.{name}" for name in field_ranges.COLUMNS)
        rows = f"SELECT t.*, {place} FROM ({some}) AS k, {by_key(self)} ORDER BY {self.order.by('k', self.backwards)}"
        return bounded(rows, WALKED, conditions, by)


class ByValue:
    """Writes the pages of one list that is filtered by equality of custom fields."""

    def __init__(self, source: PageSource) -> None:
        self.source, self.listed, self.order = source, source.listed, source.order
        self.name = self.listed.projection.name
        self.view = f"read.{self.name} AS t"
        self.lookups = self.listed.by_value(source.given)
        self.rest = {name: value for name, value in source.given.items() if name not in self.lookups}

    @property
    def needles(self) -> str:
        """The values, as a table of JSON objects, of which a row contains one."""
        name = self.lookups[0]
        value = self.source.value(name)
        if name.endswith("__in"):
            return f"unnest({value}::jsonb[]) WITH ORDINALITY AS a(needle, n)"
        return f"(SELECT {value}::jsonb AS needle, 1 AS n) AS a"

    @property
    def pairs(self) -> str:
        """The fields and values of each needle that the index of values has; lists and objects it has not.

        Only fields that it has of all needles: by two fields a row would be found twice.
        """
        plain = "jsonb_each(CASE jsonb_typeof(a.needle) WHEN 'object' THEN a.needle ELSE '{}' END)"
        known = (
            f"SELECT a.n, e.key AS field, {VALUE} AS value, count(*) OVER (PARTITION BY e.key) AS needles "
            f"FROM {self.needles} CROSS JOIN LATERAL {plain} AS e "
            f"CROSS JOIN {PARTS} WHERE {SINGLE} AND length(e.key) <= {LONGEST}"
        )
        every = f"k.needles = (SELECT count(*) FROM {self.needles})"
        return f"SELECT k.n, k.field, k.value FROM ({known}) AS k WHERE {every} OFFSET 0"

    @property
    def held(self) -> str:
        """Tells, in its column `many`, whether the index of values has many rows with each of the needles."""
        if not self.source.indexed:
            return "(SELECT false AS many) AS held"
        same = f"f.workspace = {self.source.workspace} AND f.field = p.field AND f.value = p.value"
        found = f"SELECT FROM {field_ranges.table(self.listed.projection)} AS f WHERE {same} LIMIT {FEW + 1}"
        least = (
            f"SELECT min(c.found) AS found FROM ({self.pairs}) AS p, "
            f"LATERAL (SELECT count(*) AS found FROM ({found}) AS x) AS c GROUP BY p.n"
        )
        all_known = f"count(*) = (SELECT count(*) FROM {self.needles})"
        return f"(SELECT coalesce(sum(g.found) > {FEW}, false) AND {all_known} AS many FROM ({least}) AS g) AS held"

    def met(self, only: Collection[str]) -> str:
        """Returns the condition on a row that was found."""
        return " AND ".join(self.source.chosen(only=only))

    def sql(self, beyond: list[str], size: str) -> str:
        """Returns the source of a page."""
        by, walk = self.order.by("t", self.source.backwards), self.walk(beyond, size)
        sorting = {field_ranges.RANGE} if self.by_field else set()  # the range that gives each row its place
        few = bounded(self.few, FEW, self.source.chosen(only=self.rest.keys() - sorting))
        if self.by_field:
            rows = self.source.with_values(f"(SELECT t.* FROM {few})")
            found = f"{rows} WHERE {' AND '.join(['true', *beyond])}"
        else:
            found = f"(SELECT t.* FROM {few}) AS t WHERE {' AND '.join(['true', *beyond])}"
        first = f"SELECT {self.columns} FROM {found} ORDER BY {by} LIMIT {MAX_PAGE + 1}"
        both = f"({first}) UNION ALL ({walk})" if self.source.indexed else first
        return f"{self.held}, LATERAL ({both}) AS t"

    @property
    def by_field(self) -> bool:
        return self.order.columns == field_ranges.COLUMNS

    @property
    def columns(self) -> str:
        place = [f"t.{name}" for name in field_ranges.COLUMNS] if self.by_field else []
        return ", ".join([columns(self.name), *place])

    @property
    def few(self) -> str:
        """Returns the rows of a rare value, by the index that also has lists and objects."""
        found = f"SELECT t.* FROM {self.view} WHERE NOT held.many AND "
        several = next((self.source.value(name) for name in self.lookups if name.endswith("__in")), None)
        if several is None:
            return found + self.met(self.lookups)
        projection, column = self.listed.projection, indexes.custom_fields(self.listed.projection)
        has = f"t.workspace = {self.source.workspace} AND t.{column} @> v.x AND t.{column} <> '{{}}'"
        values = f"unnest({several}::jsonb[]) AS v(x)"
        each = f"SELECT t.{projection.key} FROM {values}, {self.view} WHERE NOT held.many AND {has}"
        keys = f"SELECT t.{projection.key} FROM {bounded(each, FEW, ['true'])}"
        # By their keys, as a row may have several of the values.
        return f"{found}t.{projection.key} = ANY (ARRAY({keys})) AND {self.met(self.lookups)}"

    def walk(self, beyond: list[str], size: str) -> str:
        """Returns the rows of a common value: from the index that has them in their order, with as many of the other
        conditions as it serves."""
        source, by = self.source, self.order.by("t", self.source.backwards, self.same)
        if self.by_field:
            conditions = source.chosen(only=source.given.keys() - {field_ranges.RANGE})
            along = source.along_values(beyond, conditions, gate="held.many")
            page = f"SELECT {self.columns} FROM {along} ORDER BY {by} LIMIT {MAX_PAGE + 1}"
            return f"SELECT {self.columns} FROM ({page}) AS t LIMIT {size}"
        if self.order.columns[0] == indexes.held_still(self.listed.projection):
            return self.walk_values(beyond, size)
        several = self.listed.several(self.order, self.rest)
        each = {name: f"v{n}.x" for n, name in enumerate(several or ())}
        served = set() if several is None else set(self.rest)
        conditions = ["held.many", *source.chosen(each, only=served), *beyond]
        rows = f"SELECT t.* FROM {self.view} WHERE {' AND '.join(conditions)} ORDER BY {by}"
        page = self.page(rows, self.source.chosen(only={*self.lookups, *self.rest} - served), by, size)
        if not each:
            return page
        values = ", ".join(source.values(name, f"v{n}") for n, name in enumerate(each))
        return f"SELECT {columns(self.name)} FROM {values}, LATERAL ({page}) AS t"

    @property
    def same(self) -> set[str]:
        """Returns the columns that all rows have the same value in: outside of the query that says so, the planner
        would sort by them what the index gives in their order."""
        return self.listed.columns({name for name in self.rest if not name.endswith("__in")})[0]

    def page(self, rows: str, conditions: Iterable[str], by: str, size: str) -> str:
        # Two limits, as a planner that does not know the size would sort.
        found = bounded(rows, WALKED, conditions, by)
        page = f"SELECT {columns(self.name)} FROM {found} ORDER BY {by} LIMIT {MAX_PAGE + 1}"
        return f"SELECT {columns(self.name)} FROM ({page}) AS t LIMIT {size}"

    def walk_values(self, beyond: list[str], size: str) -> str:
        """Returns the rows of a common value in the order of the time that holds still: that of the index of values."""
        time, key = indexes.held_still(self.listed.projection), self.listed.projection.key
        way = " DESC" if self.order.newest != self.source.backwards else ""
        keys = f"{self.keys(beyond)} ORDER BY {self.order.by('t', self.source.backwards)} LIMIT {WALKED + 1}"
        rows = f"SELECT t.*, k.{time} AS at_time, k.{key} AS at_key FROM ({keys}) AS k, {by_key(self.source)}"
        rows += f" ORDER BY {self.order.by('k', self.source.backwards)}"
        page = self.page(rows, self.source.chosen(only=self.source.given), f"t.at_time{way}, t.at_key{way}", size)
        return f"SELECT {columns(self.name)} FROM {self.common}, LATERAL ({page}) AS t"

    @property
    def common(self) -> str:
        """One field with its value of each needle, as a table `v`."""
        first = f"SELECT DISTINCT ON (p.n) p.field, p.value FROM ({self.pairs}) AS p ORDER BY p.n, p.field"
        return f"(SELECT DISTINCT q.field, q.value FROM ({first}) AS q OFFSET 0) AS v"

    def keys(self, beyond: Iterable[str] = ()) -> str:
        """Returns the keys of the rows with a common value, within the wanted time."""
        projection, workspace = self.listed.projection, self.source.workspace
        within = []
        for name, given in self.rest.items():
            if (filter := self.listed.every(name)).column == indexes.held_still(projection) and filter.ranges:
                within.append(filter.chosen(given, False).format(t="t", value=self.source.value(name)))
        same = f"held.many AND t.workspace = {workspace} AND t.field = v.field AND t.value = v.value"
        return (
            f"SELECT t.{projection.key}, t.{indexes.held_still(projection)} "
            f"FROM {field_ranges.table(projection)} AS t WHERE {' AND '.join([same, *within, *beyond])}"
        )

    def counted(self) -> str:
        """Returns the statement that counts the rows of the list among the first ones that have the value."""
        few = f"SELECT {self.met(self.rest)} AS meets FROM ({self.few} LIMIT {COUNTED + 1}) AS t"
        many = (
            f"SELECT {self.met(self.source.given)} AS meets "
            f"FROM {self.common}, LATERAL ({self.keys()} LIMIT {COUNTED + 1}) AS k, {by_key(self.source)}"
        )
        both = f"({few}) UNION ALL ({many} LIMIT {COUNTED + 1})" if self.source.indexed else few
        return (
            f"SELECT count(*) FILTER (WHERE c.meets) AS n, count(*) > {COUNTED} AS capped "
            f"FROM {self.held}, LATERAL ({both}) AS c"
        )


def by_key(source: Source) -> str:
    """Returns the source of the row of each key `k`, one after the other."""
    key = source.listed.projection.key
    row = f"SELECT t.* FROM read.{source.listed.projection.name} AS t"
    return f"LATERAL ({row} WHERE t.workspace = {source.workspace} AND t.{key} = k.{key} OFFSET 0) AS t"
