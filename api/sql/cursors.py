"""Cursors: opaque text with the row at which a page ended, and a tag of its list, order and filters."""

from base64 import b64decode
from collections.abc import Collection
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from api.errors import BadCursor

TAG = 8  # hex digits that identify the list
SEND = {
    "timestamptz": "timestamptz_send({0})",
    "uuid": "uuid_send({0})",
    "bigint": "int8send({0})",
    "text": "int4send(octet_length({0})) || convert_to({0}, 'UTF8')",
}
BYTES = {"timestamptz": 8, "uuid": 16, "bigint": 8}  # lengths of what SEND writes; a text has its length before it
OTHER = "This cursor belongs to another list, order or filter. Use one from an earlier page of this list."
DAMAGED = "This cursor is damaged. Use the startCursor or endCursor of an earlier page."
# In two parts: Postgres multiplies intervals in floating point, which is exact to microseconds only up to 2255.
MOMENT = (
    "timestamptz '2000-01-01 00:00:00+00' + {0}::bigint / 1000000 * interval '1 second'"
    " + mod({0}::bigint, 1000000) * interval '1 microsecond'"
)


@dataclass(frozen=True)
class Order:
    """The columns by which a list is sorted, with their types; the last is the key, so that there are no ties."""

    projection: str
    columns: tuple[str, ...]
    types: tuple[str, ...]
    newest: bool = True  # descending
    required: bool = True  # False: rows without a value are neither in its index nor in the list

    @cached_property
    def name(self) -> str:
        return f"{self.projection} {' '.join(self.columns)} {self.newest} "

    def tag(self, filters: str = "", parent: str = "") -> str:
        """Returns the tag of the list in this order, with these filters, below the row with the key `parent`."""
        return sha256(f"{self.name}{filters}{parent}".encode(errors="surrogatepass")).hexdigest()[:TAG]

    def conditions(self, row: str) -> tuple[str, ...]:
        return () if self.required else (f"{row}.{self.columns[0]} IS NOT NULL",)

    def by(self, row: str, backwards: bool = False, same: Collection[str] = ()) -> str:
        """Returns the columns for ORDER BY, but for those of which all rows have the `same` value."""
        direction = " DESC" if self.newest != backwards else ""
        return ", ".join(f"{row}.{column}{direction}" for column in self.columns if column not in same)

    def cursor(self, tag: str, values: tuple[str, ...]) -> str:
        """Returns SQL for the cursor of a row, given SQL for the tag and for the row's values of `columns`."""
        sent = " || ".join(SEND[kind].format(value) for kind, value in zip(self.types, values, strict=True))
        return f"{tag} || encode({sent}, 'base64')"

    def cursor_of(self, tag: str, row: str) -> str:
        return self.cursor(tag, tuple(f"{row}.{column}" for column in self.columns))

    def beyond(self, row: str, values: tuple[str, ...], before: bool = False) -> str:
        """Returns the condition for rows after a cursor, or before it. `values`: placeholders for `position`."""
        sign = "<" if self.newest != before else ">"
        bound = ", ".join(
            MOMENT.format(value) if kind == "timestamptz" else f"{value}::{kind}"
            for kind, value in zip(self.types, values, strict=True)
        )
        return f"({', '.join(f'{row}.{column}' for column in self.columns)}) {sign} ({bound})"

    def position(self, text: str, tag: str | None) -> tuple[str, ...]:
        """Returns the values in a cursor, as parameters. `tag`: of the list, or None when Postgres will compare it.

        Raises BadCursor when the cursor belongs to another list or is not a cursor.
        """
        try:
            sent = b64decode(text[TAG:], validate=True)
        except ValueError:
            sent = b""
        if not sent:
            raise BadCursor("This is not a cursor. Use the startCursor or endCursor of an earlier page.")
        if tag is not None and text[:TAG] != tag:
            raise BadCursor(OTHER)
        values, begin = [], 0
        for kind in self.types:
            length = BYTES.get(kind)
            if length is None:
                length, begin = int.from_bytes(sent[begin : begin + 4], "big"), begin + 4
            part = sent[begin : begin + length]
            if len(part) != length:
                raise BadCursor(DAMAGED)
            values.append(value_in(part, kind))
            begin += length
        if begin != len(sent):
            raise BadCursor(DAMAGED)
        return tuple(values)


def value_in(part: bytes, kind: str) -> str:
    """Returns a value in a cursor as a parameter. Raises BadCursor."""
    if kind == "text":
        try:
            return part.decode()
        except UnicodeDecodeError:
            raise BadCursor(DAMAGED) from None
    return part.hex() if kind == "uuid" else str(int.from_bytes(part, "big", signed=True))


def tag_below(tag: str, key: str) -> str:
    """Returns SQL for `Order.tag`, given SQL for the text before the parent's key and for that key."""
    return f"left(encode(sha256(convert_to({tag} || {key}::text, 'UTF8')), 'hex'), {TAG})"


def cursor_belongs(given: str, tag: str) -> str:
    """Returns SQL that is true when a cursor has this tag, and fails when it has another; the resolvers then say why.

    The tag is in both branches, because the planner would evaluate the second early if it depended on no row.
    """
    return f"CASE WHEN {given}::text = {tag} THEN true ELSE ('no cursor: ' || {tag})::boolean END"
