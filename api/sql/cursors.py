"""Cursors: opaque text that says at which row a page ended, in which order and by which filters it was read."""

from base64 import b64decode
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from api.errors import BadCursor

TAG = 8  # hex digits that name the list
SEND = {"timestamptz": "timestamptz_send", "uuid": "uuid_send", "bigint": "int8send"}
BYTES = {"timestamptz": 8, "uuid": 16, "bigint": 8}  # as SEND writes them
OTHER = "This cursor belongs to another list, order or filter. Take one from an earlier page of this."
# In two parts: Postgres multiplies intervals in floating point, which holds microseconds up to the year 2255 only.
MOMENT = (
    "timestamptz '2000-01-01 00:00:00+00' + {0}::bigint / 1000000 * interval '1 second'"
    " + mod({0}::bigint, 1000000) * interval '1 microsecond'"
)


@dataclass(frozen=True)
class Order:
    """The columns by which a list is read, with their types; the last is the key, so that no two rows are equal."""

    projection: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    newest: bool = True  # descending
    known: bool = True  # False: rows without a value are not in its index, and not in the list

    @cached_property
    def name(self) -> str:
        return f"{self.projection} {' '.join(self.columns)} {self.newest} "

    def tag(self, filters: str = "", parent: str = "") -> str:
        """Of the list in this order, by these filters, below the row with this key."""
        return sha256(f"{self.name}{filters}{parent}".encode(errors="surrogatepass")).hexdigest()[:TAG]

    def conditions(self, row: str) -> tuple[str, ...]:
        return () if self.known else (f"{row}.{self.columns[0]} IS NOT NULL",)

    def by(self, row: str, backwards: bool = False) -> str:
        """For ORDER BY, with the row's alias."""
        direction = " DESC" if self.newest != backwards else ""
        return ", ".join(f"{row}.{column}{direction}" for column in self.columns)

    def cursor(self, tag: str, values: tuple[str, ...]) -> str:
        """SQL that gives the cursor of a row, of SQL that gives the tag and the row's values of `columns`."""
        sent = " || ".join(f"{SEND[kind]}({value})" for kind, value in zip(self.types, values, strict=True))
        return f"{tag} || encode({sent}, 'base64')"

    def cursor_of(self, tag: str, row: str) -> str:
        return self.cursor(tag, tuple(f"{row}.{column}" for column in self.columns))

    def beyond(self, row: str, values: tuple[str, ...], before: bool = False) -> str:
        """The condition of rows behind a cursor, or before it. `values`: placeholders for what `position` gives."""
        sign = "<" if self.newest != before else ">"
        there = ", ".join(
            MOMENT.format(value) if kind == "timestamptz" else f"{value}::{kind}"
            for kind, value in zip(self.types, values, strict=True)
        )
        return f"({', '.join(f'{row}.{column}' for column in self.columns)}) {sign} ({there})"

    def position(self, text: str, tag: str | None) -> tuple[str, ...]:
        """What stands in a cursor, as parameters. `tag`: of the list, or None when Postgres will compare it. Raises
        BadCursor when it is of another list or no cursor at all."""
        try:
            sent = b64decode(text[TAG:], validate=True)
        except ValueError:
            sent = b""
        if not sent:
            raise BadCursor("This is no cursor. Take one from an earlier page's startCursor or endCursor.")
        if tag is not None and text[:TAG] != tag:
            raise BadCursor(OTHER)
        if len(sent) != sum(BYTES[kind] for kind in self.types):
            raise BadCursor("This cursor was changed on its way. Take one from an earlier page.")
        values, begin = [], 0
        for kind in self.types:
            end = begin + BYTES[kind]
            part = sent[begin:end]
            values.append(part.hex() if kind == "uuid" else str(int.from_bytes(part, "big", signed=True)))
            begin = end
        return tuple(values)


def tag_below(tag: str, key: str) -> str:
    """SQL of `Order.tag`, of SQL that gives the text before the parent's key, and that key."""
    return f"left(encode(sha256(convert_to({tag} || {key}::text, 'UTF8')), 'hex'), {TAG})"


def of_this_list(given: str, tag: str) -> str:
    """SQL that holds when a cursor has this tag, and fails as bad input when it has another: the slow path says why.
    The tag is in both branches: of what depends on no row the planner would try out the second."""
    return f"CASE WHEN {given}::text = {tag} THEN true ELSE ('no cursor: ' || {tag})::boolean END"
