"""quarantineReparseMany: all that wait of one connection and for one reason, read again, a bounded number at a time."""

from collections.abc import Sequence
from datetime import datetime
from types import GenericAlias
from typing import Any, NamedTuple

import strawberry
from psycopg.rows import dict_row

from api.access import actor_of, require
from api.commands.answers import UserError, position_text, user_error
from api.commands.rereads import Rereads, entry_of
from api.context import Context, Info
from api.errors import BadInput, Unavailable
from api.schema.fields import Argument, field
from api.schema.scalars import Long
from crm.commands import Code, Rejected
from crm.rereads import Entry, Reread, RereadRequest

MOST = 50  # of one request
READ_ONLY = "This server is read-only. Nothing was changed."
ONE_REASON = """
FROM read.quarantine WHERE workspace = %(workspace)s AND status = 'waiting'
AND (touched_at IS NULL OR touched_at < coalesce(%(before)s::timestamptz, 'infinity'))"""
GROUPS = f"""
SELECT connection, connector, reason, count(*) AS count, count(*) FILTER (WHERE at_risk = 'lead') AS people,
  min(received_at) AS oldest_at, max(received_at) AS newest_at
{ONE_REASON} GROUP BY connection, connector, reason ORDER BY count DESC, connector, reason LIMIT 100"""
OLDEST = f"""
SELECT quarantine_id AS id, * {ONE_REASON} AND connection = %(connection)s AND reason = %(reason)s
ORDER BY quarantined_at, cause_topic, cause_partition, cause_offset LIMIT %(first)s"""
ABOUT = (
    "Reads quarantined deliveries again that wait for one reason at one connection, the oldest first and those of one "
    f"sender in their order: at most {MOST} at a time, so send it until `quarantineGroups` has no more of them. "
    "Each counts once, however often this is sent. Needs the scope `connect`."
)


@strawberry.type(description="Quarantined deliveries that wait for one reason at one connection.")
class QuarantineGroup:
    connection: str = strawberry.field(description="Id of the connection; of the open API, the sender of the fact.")
    connector: str = strawberry.field(description="Its connector.")
    reason: str = strawberry.field(description="Why they could not be understood.")
    count: Long = strawberry.field(description="How many wait.")
    people: Long = strawberry.field(description="Of these, those behind which somebody may wait for an answer.")
    oldest_at: datetime = strawberry.field(description="When the first came in.")
    newest_at: datetime = strawberry.field(description="When the last came in.")


@strawberry.type(description="Result of `quarantineReparseMany`.")
class QuarantineReparseManyPayload:
    read: int = strawberry.field(description="How many were looked at.")
    released: int = strawberry.field(description="Of these, those that were understood now.")
    waiting: int = strawberry.field(description="Those that still cannot be understood.")
    held: int = strawberry.field(description="Those that were left as an earlier one of the same sender failed again.")
    settled: int = strawberry.field(description="Those that somebody else had settled meanwhile.")
    reasons: list[str] = strawberry.field(description="Why the first of those that still wait cannot be understood.")
    position: str | None = strawberry.field(
        description="Position in the journal that has it. Send it with a query to read your own write."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Mistakes that the user can correct. If there are any, nothing was changed."
    )


class Again(NamedTuple):
    """An entry with what today's connector makes of it."""

    entry: Entry
    found: Reread


async def groups(_: Any, info: Info, not_tried_since: datetime | None = None) -> list[QuarantineGroup]:
    given = {"before": not_tried_since}
    return [QuarantineGroup(**row) for row in await rows(info.context, GROUPS, given)]


async def rows(context: Context, query: str, given: dict[str, Any]) -> list[dict[str, Any]]:
    """Raises Unavailable."""
    workspace = context.workspace()
    if context.executor is None:
        raise Unavailable(READ_ONLY)
    async with context.executor.connection("quarantine_groups") as conn:
        cursor = conn.cursor(row_factory=dict_row)
        await cursor.execute(query.encode(), {"workspace": workspace, **given})
        return await cursor.fetchall()


async def reparse_many(
    _: Any, info: Info, connection: str, reason: str, not_tried_since: datetime | None = None, first: int = MOST
) -> dict[str, Any]:
    context = info.context
    require(context.token, "connect")
    if context.rereads is None:
        raise Unavailable(READ_ONLY)
    if not 1 <= first <= MOST:
        raise BadInput(f"`first` is 1 to {MOST}. Nothing was changed.")
    given = {"connection": connection, "reason": reason, "first": first, "before": not_tried_since}
    entries = [entry_of(row, context.token.workspace) for row in await rows(context, OLDEST, given)]
    nothing: dict[str, Any] = dict.fromkeys(("read", "released", "waiting", "held", "settled"), 0)
    if not entries:
        why = "Nothing waits in quarantine for this reason at this connection. Nothing was changed."
        refusal = user_error(Rejected("reason", Code.NOT_FOUND, why))
        return {**nothing, "reasons": [], "position": None, "user_errors": [refusal]}
    actor = actor_of(context.token)
    return {**nothing, **await read_all(context.rereads, entries, actor), "user_errors": []}


async def read_all(rereads: Rereads, entries: Sequence[Entry], actor: str) -> dict[str, Any]:
    """Reads the entries again. Raises Unavailable; what was sent until then is decided."""
    before = await rereads.states(entries)
    open_ = [entry for entry in entries if not before[entry.id].status]
    left: list[Again] = []
    missing: list[str] = []
    for entry, record in zip(open_, await rereads.records(open_), strict=True):
        if isinstance(record, str):
            missing.append(record)
        else:
            left.append(Again(entry, await rereads.ask(RereadRequest(entry, before[entry.id].attempts, record, actor))))
    stuck: set[str] = set()
    released = held = 0
    reasons = dict.fromkeys(missing)
    position: dict[int, int] = {}
    while left:
        wave, left = first_of_each_sender(left)
        free = [one for one in wave if not stuck.intersection(one.found.senders)]
        held += len(wave) - len(free)
        if not free:
            continue
        position = await rereads.send(*(one.found for one in free))
        after = await rereads.states([one.entry for one in free])
        for one in free:
            if after[one.entry.id].status:
                released += 1
            else:
                stuck.update(one.found.senders)
                reasons[one.found.summary] = None
    return {
        "read": len(entries),
        "released": released,
        "waiting": len(open_) - released - held,
        "held": held,
        "settled": len(entries) - len(open_),
        "reasons": list(reasons)[:5],
        "position": position_text(position) if position else None,
    }


def first_of_each_sender(pending: Sequence[Again]) -> tuple[list[Again], list[Again]]:
    """Returns those without an earlier one of the same sender, and the others, both in order."""
    first: list[Again] = []
    rest: list[Again] = []
    taken: set[str] = set()
    for one in pending:
        (rest if taken.intersection(one.found.senders) else first).append(one)
        taken.update(one.found.senders)
    return first, rest


SINCE = Argument(datetime | None, None, "Only those that nobody has tried again since this moment.")
QUARANTINE_GROUPS = field(
    GenericAlias(list, QuarantineGroup),
    {"not_tried_since": SINCE},
    groups,
    "Quarantined deliveries that wait, counted by connection and reason, the most frequent first, at most 100.",
)
QUARANTINE_REPARSE_MANY = field(
    QuarantineReparseManyPayload,
    {
        "connection": Argument(str, about="As `quarantineGroups` has it."),
        "reason": Argument(str, about="As `quarantineGroups` has it."),
        "not_tried_since": SINCE,
        "first": Argument(int, MOST, f"How many, at most {MOST}."),
    },
    reparse_many,
    ABOUT,
)
