"""Applies corrections, each in its own transaction. The record with the raw bytes is the cause of its events."""

from msgspec import Struct
from psycopg import AsyncConnection

from crm.commands import Rejected
from crm.decisions.commands import COMMANDS
from crm.engine.decide_batch import Arrived, decide
from crm.engine.run_command import carry_out, nothing
from services.operations.reparse.corrections import Correction

COMMANDS_BY_TYPE = {declared.command: declared for declared in COMMANDS.values()}


class Outcome(Struct, frozen=True, gc=False):
    """The result of a correction: done, known (done before), or refused and why."""

    status: str
    why: str = ""


async def apply(conn: AsyncConnection, correction: Correction) -> Outcome:
    """Applies a correction. Idempotent: it can be interrupted and repeated."""
    _, topic, partition, offset = correction.past
    if (command := correction.command) is not None:
        try:
            declared = COMMANDS_BY_TYPE[type(command)]
            done = await carry_out(conn, declared, command, "", nothing, (topic, partition, offset))
        except Rejected as refused:
            return Outcome("refused", refused.message)
        return Outcome("done" if done.events else "known")
    assert correction.fact is not None
    async with conn.transaction():
        cursor = await decide(conn, [Arrived(correction.fact, topic, partition, offset)])
    return Outcome("known" if cursor is None else "done")
