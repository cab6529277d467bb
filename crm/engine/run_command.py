"""One transaction of a command: its events, or a refusal and nothing at all. The same idempotency key runs it once.

The engine is that of facts: the same locks in the same order, and journal positions last of all.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import psycopg
from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.adapters.postgres.state import Batch
from crm.commands import Command, CommandSpec
from crm.decisions.case import Case
from crm.decisions.commands import decided, digest
from crm.decisions.versions import version_of
from crm.engine import decide_batch as deciding
from crm.engine.decide_batch import SEEN, Arrived
from crm.envelope import Event, now
from crm.errors import CrmError
from crm.log import RecordRef
from crm.scalars import Id
from crm.state import Command as Accepted
from crm.topics import journal_partition

TRIES = 8  # decide and other commands meet the same rows; each time one of them comes through
HEADS = "SELECT partition, next FROM core.journal_head WHERE partition = ANY (%s)"
AGAIN = (  # another writer was there first: nothing was written, and all of it may be run again
    psycopg.errors.UniqueViolation,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.LockNotAvailable,
)
Effect = Callable[[Sequence[Event]], Awaitable[None]]
NOWHERE: RecordRef = ("", -1, -1)


class KeyReused(CrmError):
    """An Idempotency-Key came again with another command or another input: nothing was changed."""


@dataclass(frozen=True)
class CommandResult:
    """The result of a command. `version`: that of its row afterwards. `position`: the next one in each journal
    partition that it wrote to. `events`: none when it was done before."""

    row: str
    subject: Id
    version: int | None
    position: Mapping[int, int]
    events: Sequence[Event] = field(default=())


async def nothing(_events: Sequence[Event]) -> None:
    """Does nothing: most commands have no effect besides their events."""


async def carry_out(
    conn: AsyncConnection,
    declared: CommandSpec,
    command: Command,
    key: str = "",
    effect: Effect = nothing,
    place: RecordRef = NOWHERE,
) -> CommandResult:
    """Tries again when another writer came first. `effect` is awaited when all but the commit has succeeded, and may
    be awaited again. `place`: the fact that made somebody give the command. Raises Rejected, KeyReused, and what
    Postgres and the effect raise."""
    for tried in range(1, TRIES + 1):
        try:
            async with conn.transaction():
                return await attempt(conn, declared, command, key, effect, place)
        except AGAIN:
            if tried == TRIES:
                raise
    raise AssertionError("unreachable")


async def attempt(
    conn: AsyncConnection, declared: CommandSpec, command: Command, key: str, effect: Effect, place: RecordRef
) -> CommandResult:
    batch = Batch()
    state = batch.of(command.meta.workspace)
    # The second one under one key waits here until the first has committed.
    if not await (await conn.execute(SEEN, [[command.meta.id]])).fetchone():
        return await repeated(conn, batch, declared, command)
    await deciding.prefetch(conn, batch, [Arrived(command)])
    at = now()  # behind the locks, as facts have it

    def act(_: Command) -> list[Event] | None:
        try:
            return decided(declared, Case(command, state, at, *place), key)
        except Exception:
            batch.forget()
            if batch.assumed:  # what it failed on, or was refused for, may be there after all
                return None
            raise

    (events,) = await batch.run(conn, [command], act)
    await batch.write(conn)
    await effect(events)
    subject = declared.key_of(command, events)
    version = version_of(state, declared.row, subject)
    packed = [journal.packed(event) for event in events]
    deciding.count(packed)
    cursor = await journal.append(conn, packed)
    last = dict(await cursor.fetchall()) if cursor else {}
    next_positions = {p: position + 1 for p, position in sorted(last.items())}
    return CommandResult(declared.row, subject, version, next_positions, events)


async def repeated(conn: AsyncConnection, batch: Batch, declared: CommandSpec, command: Command) -> CommandResult:
    """Returns the first run's result, at a position that includes it. Raises KeyReused."""
    workspace = command.meta.workspace
    state = batch.of(workspace)
    await batch.load(conn, [(workspace, f"{Accepted.__name__}/{command.meta.id}")])
    accepted = state.get(Accepted, command.meta.id)
    if accepted is None or accepted.digest != digest(declared, command):
        raise KeyReused(
            "This Idempotency-Key was used with another command or another input. Nothing was changed. Take a new key "
            "for a new command; send the same input to hear again what became of it."
        )
    version_of(state, accepted.row, accepted.subject)
    await batch.load(conn, sorted(batch.assumed))
    version = version_of(state, accepted.row, accepted.subject)
    heads = await (await conn.execute(HEADS, [[journal_partition(accepted.stream)]])).fetchall()
    return CommandResult(accepted.row, accepted.subject, version, {p: next for p, next in heads})
