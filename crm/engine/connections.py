"""Writes connections that are on crm.connections alone into the journal: those of `crm connect` and of the demo."""

from collections.abc import Iterable

from psycopg import AsyncConnection

from crm.adapters.postgres import outbox as journal
from crm.adapters.postgres.state import Batch
from crm.decisions.case import Case
from crm.engine.decide_batch import SEEN
from crm.engine.run_command import AGAIN, TRIES
from crm.engine.workspaces import key as workspace_key
from crm.envelope import Event, Fact, named_id, now
from crm.events import ConnectionAdded, ConnectionRemoved
from crm.facts import ConnectionDeclared
from crm.scalars import Id
from crm.shared import Meta
from crm.state import ConnectionKept, fold

KEPT = """
SELECT s.workspace::text, s.key FROM unnest(%s::uuid[], %s::text[]) AS k (workspace, key)
JOIN core.state AS s USING (workspace, key)"""


async def record_connections(dsn: str, declared: Iterable[ConnectionDeclared]) -> list[Id]:
    """Writes the events of connections that have none yet. Returns which. Is idempotent.

    Leaves out those of workspaces that do not exist. `declared`: the newest declaration of each connection.
    """
    facts = {(fact.meta.workspace, key_of(fact)): fact for fact in declared}
    if not facts:
        return []
    async with await AsyncConnection.connect(dsn, autocommit=True) as conn:
        places = [*facts, *{(workspace, workspace_key()) for workspace, _ in facts}]
        kept = set(await (await conn.execute(KEPT, [list(one) for one in zip(*places, strict=True)])).fetchall())
        created = {workspace for workspace, key in kept if key == workspace_key()}
        missing = [fact for place, fact in facts.items() if place not in kept and place[0] in created]
        return [fact.connection for fact in missing if await record(conn, fact)]


async def record(conn: AsyncConnection, declared: ConnectionDeclared) -> bool:
    """Writes the events of one connection; returns False when somebody did before."""
    for tried in range(1, TRIES + 1):
        try:
            async with conn.transaction():
                return await attempt(conn, declared)
        except AGAIN:
            if tried == TRIES:
                raise
    raise AssertionError("unreachable")


async def attempt(conn: AsyncConnection, declared: ConnectionDeclared) -> bool:
    at, workspace, id = now(), declared.meta.workspace, declared.connection
    cause = named_id(id, "recorded")
    if not await (await conn.execute(SEEN, [[cause]])).fetchone():
        return False
    batch = Batch()
    state = batch.of(workspace)
    await batch.load(conn, [(workspace, key_of(declared))])
    if state.get(ConnectionKept, id) is not None:
        return False
    meta = Meta(cause, workspace, id, declared.meta.occurred_at, at, "crm", cause, actor=declared.meta.actor or "crm")
    case = Case(Fact(meta), state, at)
    events: list[Event] = [ConnectionAdded(case.meta(id), id, declared.connector, declared.name)]
    if not declared.enabled:
        events.append(ConnectionRemoved(case.meta(id), id, declared.connector, declared.name, ""))
    for event in events:
        fold(state, event)
    batch.keep()
    await batch.write(conn)
    await journal.append(conn, [journal.packed(event) for event in events])
    return True


def key_of(declared: ConnectionDeclared) -> str:
    return f"{ConnectionKept.__name__}/{declared.connection}"
