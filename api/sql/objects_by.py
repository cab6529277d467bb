"""A page of objects in the order of one of their index columns."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

import msgspec

from api.errors import BadCursor, BadInput
from api.sql.cursors import OTHER
from api.sql.reads import Reads, Shaped, shaped
from api.sql.statements import COUNTED, columns
from crm.objects import sortable
from projections import PROJECTIONS

# Equality is a range of one value: after `=` the planner knows that the order is only by id, and where it thinks that
# most rows have the value it walks all objects in the order of their ids.
SIGNS = {"equals": (">=", "<="), "gt": (">",), "gte": (">=",), "lt": ("<",), "lte": ("<=",)}
MOST_ROWS, MOST_VALUES = 100, 100
WALKED = 2_000  # rows
TAG = 8  # characters
TAKES = {
    "number": "a number",
    "date": "a date such as 2026-01-31",
    "time": "a moment with its zone such as 2026-01-31T12:00:00Z",
    "boolean": "true or false",
}


@dataclass(frozen=True)
class Ranges:
    """What values are wanted: parameters by name, as text that sorts like the values."""

    parameters: Mapping[str, Any]

    @classmethod
    def of(cls, kind: str, given: Mapping[str, Any]) -> "Ranges":
        """Raises BadInput for a value that no field of this type has."""
        found: dict[str, Any] = {}
        for name, value in given.items():
            if value is None:
                continue
            if name == "any_of":
                if not 1 <= len(value) <= MOST_VALUES:
                    raise BadInput(f"`anyOf` has {len(value)} values; it takes 1 to {MOST_VALUES}. Nothing was read.")
                found[name] = [sorted_text(kind, name, one) for one in value]
            else:
                found[name] = sorted_text(kind, name, value)
        return cls(found)

    def conditions(self, column: str) -> list[str]:
        some = [f"{column} {sign} %({name})s" for name in self.parameters for sign in SIGNS.get(name, ())]
        return some + ([f"{column} = ANY (%(any_of)s::text[])"] if "any_of" in self.parameters else [])


def sorted_text(kind: str, name: str, value: Any) -> str:
    fits = isinstance(value, str | int | Decimal) if kind == "number" else isinstance(value, str)
    try:
        if isinstance(value, bool) == (kind == "boolean") and (fits or kind == "boolean"):
            return sortable(kind, value)
    except (ValueError, ArithmeticError):
        pass
    wanted = TAKES.get(kind, "text")
    raise BadInput(f"`{name}` takes {wanted}, as the field does. Nothing was read.")


@dataclass(frozen=True)
class FieldPage:
    """One page. `column`: of the index; `kind`: the type of the field's values.

    No index has a status together with a field: with one, the index of the field is walked, WALKED rows at most. A
    page may then have fewer rows than asked for, and the cursor goes on where the walk ended.
    """

    type: str
    column: str
    kind: str
    ranges: Ranges
    first: int
    after: str | None
    descending: bool
    status: str | None = None

    @property
    def value(self) -> str:
        return f't.{self.column} COLLATE "C"'

    @property
    def way(self) -> str:
        return f"{self.value}{' DESC' if self.descending else ''}, t.object_id{' DESC' if self.descending else ''}"

    @property
    def tag(self) -> str:
        wanted = sorted(self.ranges.parameters.items())
        said = msgspec.json.encode([self.type, self.column, self.descending, wanted, self.status])
        return sha256(said).hexdigest()[:TAG]

    @property
    def conditions(self) -> str:
        of_type = f"t.type = %(type)s AND t.{self.column} IS NOT NULL"
        return " AND ".join(["t.workspace = %(workspace)s", of_type, *self.ranges.conditions(self.value)])

    async def read(self, reads: Reads) -> Shaped:
        """Returns the page as a Relay connection. Raises BadInput or BadCursor."""
        if not 1 <= self.first <= MOST_ROWS:
            raise BadInput(f"`first` is {self.first}; it takes 1 to {MOST_ROWS}. Read the rest with `after`.")
        parameters: dict[str, Any] = {**self.ranges.parameters, "type": self.type}
        beyond = ""
        if self.after:
            parameters["at"], parameters["id"] = self.position(self.after)
            beyond = f" AND ({self.value}, t.object_id) {'<' if self.descending else '>'} (%(at)s, %(id)s::uuid)"
        rows = f"SELECT {columns('object')} FROM read.object AS t WHERE {self.conditions}{beyond} ORDER BY {self.way}"
        found, end = await (
            self.filtered(reads, rows, parameters) if self.status is not None else self.plain(reads, rows, parameters)
        )
        nodes = [shaped(PROJECTIONS["object"], row) for row in found[: self.first]]
        edges = [{"cursor": self.cursor(node), "node": node} for node in nodes]
        info = {
            "has_next_page": end is not None,
            "has_previous_page": bool(self.after),
            "start_cursor": edges[0]["cursor"] if edges else None,
            "end_cursor": self.cursor(end) if end else edges[-1]["cursor"] if edges else None,
        }

        async def total() -> Shaped:
            return await self.counted(reads, {**self.ranges.parameters, "type": self.type})

        return {"edges": edges, "nodes": nodes, "page_info": info, "total": total}

    async def plain(self, reads: Reads, rows: str, parameters: dict[str, Any]) -> tuple[list[Shaped], Shaped | None]:
        """Returns the rows, and the one at which the page ends if there are more."""
        found = await reads.rows(f"{rows} LIMIT %(limit)s", limit=self.first + 1, **parameters)
        return found, found[self.first - 1] if len(found) > self.first else None

    async def filtered(self, reads: Reads, rows: str, parameters: dict[str, Any]) -> tuple[list[Shaped], Shaped | None]:
        """The same with a status: the page ends at the last row of a walk that did not fill it."""
        walk = f"WITH t AS MATERIALIZED ({rows} LIMIT {WALKED})"
        wanted = f"{walk} SELECT t.* FROM t WHERE t.status = %(status)s ORDER BY {self.way} LIMIT %(limit)s"
        found = await reads.rows(wanted, status=self.status, limit=self.first + 1, **parameters)
        if len(found) > self.first:
            return found, found[self.first - 1]
        last = await reads.rows(f"{walk} SELECT t.* FROM t ORDER BY {self.way} OFFSET {WALKED - 1}", **parameters)
        return found, last[0] if last else None

    async def counted(self, reads: Reads, parameters: dict[str, Any]) -> Shaped:
        """With a status it counts among the first rows of the range."""
        some = f"SELECT t.status FROM read.object AS t WHERE {self.conditions} LIMIT {COUNTED + 1}"
        counts = (
            "count(*) AS walked, count(*) FILTER (WHERE %(status)s::text IS NULL OR c.status = %(status)s) AS count"
        )
        (row,) = await reads.rows(f"SELECT {counts} FROM ({some}) AS c", status=self.status, **parameters)
        return {"count": min(row["count"], COUNTED), "capped": row["walked"] > COUNTED}

    def cursor(self, row: Shaped) -> str:
        text = f"{row['object_id']}{row[self.column]}"
        return self.tag + b64encode(text.encode()).decode()

    def position(self, cursor: str) -> tuple[str, str]:
        """Returns value and id of the row at which a page ended. Raises BadCursor."""
        try:
            text = b64decode(cursor[TAG:], validate=True).decode()
            id = str(UUID(text[:36]))
        except ValueError:
            raise BadCursor("This is not a cursor. Use the startCursor or endCursor of an earlier page.") from None
        if cursor[:TAG] != self.tag:
            raise BadCursor(OTHER)
        return text[36:], id
