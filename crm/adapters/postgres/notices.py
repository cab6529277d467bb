"""The notices by which subscribers learn of changed rows: their channel, and what one holds."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from crm.envelope import Row
from crm.scalars import Id

NOTIFY = "SELECT pg_notify('changes', m) FROM json_array_elements_text(%s) AS m"
KEYS = 150  # of a notice that has nothing but keys
ROOM = 7_000  # bytes of the rows of one notice; Postgres takes 8,000 of all
LONGEST = 1_000  # bytes of what one row was before; longer ones are left out
UNKNOWN = msgspec.Raw(b"{}")
ROOM_OF_KEY = 39  # bytes: a UUID, its quotes and a comma


class ChangedRow(NamedTuple):
    """The key of a changed row, and the values that filters compare as they were, as JSON; None: they did not change.

    `{}`: they are not known.
    """

    key: Id
    before: msgspec.Raw | None = None

    @property
    def room(self) -> int:
        return ROOM_OF_KEY + (0 if self.before is None else ROOM_OF_KEY + 1 + len(bytes(self.before)))


def changed_row(key: Id, before: Row | None, after: Row | None, columns: Sequence[str]) -> ChangedRow:
    """Compares the row before and after. A new row was in no filter before."""
    if before is None:
        return ChangedRow(key)
    values = {name: getattr(before, name) for name in columns}
    if after is not None and all(getattr(after, name) == value for name, value in values.items()):
        return ChangedRow(key)
    text = msgspec.json.encode(values)
    return ChangedRow(key, msgspec.Raw(text) if len(text) <= LONGEST else UNKNOWN)


def notices(table: str, workspace: Id, at: Mapping[int, int], rows: Iterable[ChangedRow]) -> Iterator[str]:
    """Yields the notices of the changed rows of one workspace, each small enough for Postgres."""
    part: list[ChangedRow] = []
    room = ROOM
    for row in rows:
        if row.room > room:
            yield notice(table, workspace, at, part)
            part, room = [], ROOM
        part.append(row)
        room -= row.room
    if part:
        yield notice(table, workspace, at, part)


def notice(table: str, workspace: Id, at: Mapping[int, int], rows: Sequence[ChangedRow]) -> str:
    before = {row.key: row.before for row in rows if row.before is not None}
    body: dict[str, Any] = {"projection": table, "workspace": workspace, "keys": [row.key for row in rows], "at": at}
    return msgspec.json.encode({**body, "before": before}).decode()
