"""The notices by which subscribers learn of changed rows: their channel, and what one holds."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Any

import msgspec

from crm.envelope import Row
from crm.scalars import Id

NOTIFY = "SELECT pg_notify('changes', m) FROM json_array_elements_text(%s) AS m"
KEYS = 150  # of a notice that has nothing but keys
ROOM = 7_000  # bytes of the rows of one notice; Postgres takes 8,000 of all
LONGEST = 1_000  # bytes of what one row was before; longer ones are left out
UNKNOWN = b"{}"
ROOM_OF_KEY = 39  # bytes: a UUID, its quotes and a comma
# The key of a changed row, and as JSON the values that filters compare as they were: None when none of them changed,
# UNKNOWN when they are not known.
ChangedRow = tuple[Id, bytes | None]


def comparing(columns: Sequence[str]) -> Callable[[Id, Row | None, Row | None], ChangedRow]:
    """Returns a function that compares the row of a key before and after by these columns. It runs for every change."""
    if not columns:
        return lambda key, _before, _after: (key, None)
    values = attrgetter(*columns)

    def changed_row(key: Id, before: Row | None, after: Row | None) -> ChangedRow:
        if before is None:  # a new row was in no filter before
            return key, None
        was = values(before)
        if after is not None and values(after) == was:
            return key, None
        text = msgspec.json.encode(dict(zip(columns, was if len(columns) > 1 else (was,), strict=True)))
        return key, text if len(text) <= LONGEST else UNKNOWN

    return changed_row


def notices(table: str, workspace: Id, at: Mapping[int, int], rows: Iterable[ChangedRow]) -> Iterator[str]:
    """Yields the notices of the changed rows of one workspace, each small enough for Postgres."""
    part: list[ChangedRow] = []
    room = ROOM
    for row in rows:
        needed = ROOM_OF_KEY if row[1] is None else 2 * ROOM_OF_KEY + 1 + len(row[1])
        if needed > room:
            yield notice(table, workspace, at, part)
            part, room = [], ROOM
        part.append(row)
        room -= needed
    if part:
        yield notice(table, workspace, at, part)


def notice(table: str, workspace: Id, at: Mapping[int, int], rows: Sequence[ChangedRow]) -> str:
    before = {key: msgspec.Raw(text) for key, text in rows if text is not None}
    body: dict[str, Any] = {"projection": table, "workspace": workspace, "keys": [key for key, _ in rows], "at": at}
    return msgspec.json.encode({**body, "before": before}).decode()
