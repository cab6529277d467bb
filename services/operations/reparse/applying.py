"""Corrections carried out, each in a transaction of its own; where the raw bytes lie is the cause of its events."""

from msgspec import Struct
from psycopg import AsyncConnection

from crm.commands import Rejected
from crm.decisions.commands import COMMANDS
from crm.engine.decide_batch import Arrived, decide
from crm.engine.run_command import carry_out, nothing
from services.operations.reparse.corrections import Correction

BY_TYPE = {declared.command: declared for declared in COMMANDS.values()}


class Outcome(Struct, frozen=True, gc=False):
    """What became of a correction: done, known (done before), or refused and why."""

    status: str
    why: str = ""


async def carried_out(conn: AsyncConnection, correction: Correction) -> Outcome:
    """It may be stopped anywhere and run again: what is done twice is done once."""
    _, topic, partition, offset = correction.past
    if (command := correction.command) is not None:
        try:
            declared = BY_TYPE[type(command)]
            done = await carry_out(conn, declared, command, "", nothing, (topic, partition, offset))
        except Rejected as refused:
            return Outcome("refused", refused.message)
        return Outcome("done" if done.events else "known")
    assert correction.fact is not None
    async with conn.transaction():
        cursor = await decide(conn, [Arrived(correction.fact, topic, partition, offset)])
    return Outcome("known" if cursor is None else "done")
