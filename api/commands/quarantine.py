"""quarantineReparse and quarantineDiscard: a delivery that could not be understood is read again, or set aside.

Each is a fact of its own, as of `crm quarantine`: it is in the journal who did what and why, and a rebuild knows it.
"""

from typing import Any

import strawberry

from api.access import actor_of, require
from api.commands.answers import UserError, position_text, user_error
from api.commands.rereads import Rereads, entry_of
from api.context import Context, Info
from api.errors import Unavailable
from api.schema.fields import Argument, field
from api.schema.filters import known_id
from crm.commands import Code, Rejected
from crm.rereads import Entry

REPARSE = (
    "Reads a quarantined delivery again with the connector of this release, or decides its fact once more. What it is "
    "then counts once, however often this is sent. Needs the scope `connect`."
)
DISCARD = "Sets aside a quarantined delivery that is not needed. Its bytes stay in Kafka. Needs the scope `connect`."
LONGEST = 500  # characters of a reason


@strawberry.type(description="Result of `quarantineReparse` and `quarantineDiscard`.")
class QuarantineSettledPayload:
    status: str | None = strawberry.field(
        description="released, discarded, or waiting where it could not be read again; `summary` says why."
    )
    summary: str | None = strawberry.field(description="What became of it, as text for people.")
    position: str | None = strawberry.field(
        description="Position in the journal that has it. Send it with a query to read your own write."
    )
    user_errors: list[UserError] = strawberry.field(
        description="Mistakes that the user can correct. If there are any, nothing was changed."
    )


async def entry(context: Context, id: str) -> tuple[Rereads, Entry]:
    """Returns what reads it and the delivery. Raises Forbidden, Rejected, Unavailable."""
    require(context.token, "connect")
    if context.rereads is None:
        raise Unavailable("This server is read-only. Nothing was changed.")
    row = await context.reads.one("quarantine", known_id(id))
    if row is None:
        raise Rejected("quarantineId", Code.NOT_FOUND, f"There is no quarantined delivery {id}. Nothing was changed.")
    return context.rereads, entry_of(row, context.token.workspace)


async def reparse(_: Any, info: Info, quarantine_id: str) -> dict[str, Any]:
    return await settle(info.context, quarantine_id)


async def discard(_: Any, info: Info, quarantine_id: str, reason: str) -> dict[str, Any]:
    return await settle(info.context, quarantine_id, reason.strip(), required=True)


async def settle(context: Context, id: str, reason: str = "", required: bool = False) -> dict[str, Any]:
    try:
        rereads, found = await entry(context, id)
        if required and not 0 < len(reason) <= LONGEST:
            why = f"Say in 1 to {LONGEST} characters why it is not needed. Nothing was changed."
            raise Rejected("reason", Code.REQUIRED if not reason else Code.INVALID, why)
        actor = actor_of(context.token)
        again = await rereads.read_again(found, actor, reason)
        position = await rereads.send(again)
    except Rejected as refusal:
        return {"status": None, "summary": None, "position": None, "user_errors": [user_error(refusal)]}
    at = position_text(position)
    return {"status": again.status, "summary": again.summary, "position": at, "user_errors": []}


WHICH = Argument(strawberry.ID, about="Which delivery.")
QUARANTINE_REPARSE = field(QuarantineSettledPayload, {"quarantine_id": WHICH}, reparse, REPARSE)
QUARANTINE_DISCARD = field(
    QuarantineSettledPayload,
    {"quarantine_id": WHICH, "reason": Argument(str, about="Why it is not needed; it is kept in the journal.")},
    discard,
    DISCARD,
)
