"""Corrections carried out, each in a transaction of its own; where the raw bytes lie is the cause of its events."""

from collections.abc import Callable, Sequence

from msgspec import Struct
from psycopg import AsyncConnection, errors

from crm.adapters import journal
from crm.adapters.deciding import SEEN, Arrived, decide
from crm.adapters.journal import Packed
from crm.adapters.state import Batch
from crm.commands import Command, Rejected
from crm.decisions.case import Case
from crm.decisions.commands import COMMANDS, decided
from crm.envelope import now
from services.reread.corrections import Correction
from services.reread.past import Past

TRIES = 5  # when another writer was in the way
BY_TYPE = {declared.command: declared for declared in COMMANDS.values()}


class Outcome(Struct, frozen=True, gc=False):
    """What became of a correction: done, known (done before), or refused and why."""

    status: str
    why: str = ""


Tell = Callable[[Correction, Outcome], None]


async def apply(conn: AsyncConnection, corrections: Sequence[Correction], tell: Tell) -> None:
    """It may be stopped anywhere and run again: what is done twice is done once."""
    for correction in corrections:
        tell(correction, await carried_out(conn, correction))


async def carried_out(conn: AsyncConnection, correction: Correction) -> Outcome:
    for tried in range(TRIES):
        try:
            async with conn.transaction():
                return await once(conn, correction)
        except Rejected as refused:
            return Outcome("refused", refused.message)
        except (errors.UniqueViolation, errors.DeadlockDetected, errors.SerializationFailure):
            if tried == TRIES - 1:
                raise
    raise AssertionError("unreachable")


async def once(conn: AsyncConnection, correction: Correction) -> Outcome:
    """In the caller's transaction. Raises Rejected."""
    _, topic, partition, offset = correction.past
    if correction.fact is not None:
        cursor = await decide(conn, [Arrived(correction.fact, topic, partition, offset)])
        return Outcome("known" if cursor is None else "done")
    command = correction.command
    assert command is not None
    if not await (await conn.execute(SEEN, [[command.meta.id]])).fetchone():
        return Outcome("known")
    batch = Batch()
    ((events),) = await batch.run(conn, [command], lambda one: events_of(batch, one, correction.past))
    await batch.write(conn)
    await journal.append(conn, events)
    return Outcome("done")


def events_of(batch: Batch, command: Command, past: Past) -> list[Packed] | None:
    """None when it was refused on what may be there after all: look, and run it again. Raises Rejected."""
    state = batch.of(command.meta.workspace)
    case = Case(command, state, now(), past.topic, past.partition, past.offset)
    try:
        return [journal.packed(event) for event in decided(BY_TYPE[type(command)], case)]
    except Exception:
        batch.forget()
        if batch.assumed:
            return None
        raise
