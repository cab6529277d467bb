"""One transaction of decisions: facts or commands in, state and outbox out. Used by the decide role and by commands."""

from collections import Counter
from collections.abc import Callable, Sequence

import structlog
from msgspec import Struct
from psycopg import AsyncConnection, AsyncCursor

from crm.adapters.postgres import outbox as journal
from crm.adapters.postgres.outbox import Packed
from crm.adapters.postgres.state import Batch, Key, text_array
from crm.adapters.telemetry import metrics
from crm.adapters.telemetry.logs import debugging
from crm.contract.codec import HEADER, TYPE_NAMES, type_of
from crm.decisions import FOLLOW, decided, hints
from crm.decisions.case import Case, Entity
from crm.decisions.delivery import other_version, set_aside
from crm.envelope import Fact, now
from crm.events import FactQuarantined
from crm.scalars import Micros
from crm.screen_pop.rings import begins_to_ring
from crm.state import Workspace
from crm.state.entities import ONLY
from crm.versions import digest_of

SEEN = "INSERT INTO core.fact_seen (fact_id) SELECT unnest(%s::uuid[]) ON CONFLICT DO NOTHING RETURNING fact_id::text"
SEEN_BEFORE = """
INSERT INTO core.fact_seen (fact_id, digest) SELECT id, nullif(digest, '')::uuid
FROM unnest(%s::uuid[], %s::text[]) AS f (id, digest)
ON CONFLICT DO NOTHING RETURNING fact_id::text"""
DIGESTS = "SELECT fact_id::text, replace(digest::text, '-', '') FROM core.fact_seen WHERE fact_id = ANY (%s::uuid[])"

Wanted = dict[Key, type[Entity]]
# What followed from the things that a workspace has one of, when they were last loaded: asked for with them next time.
AFTER: dict[Key, Wanted] = {}

log = structlog.get_logger()


class Arrived(Struct, frozen=True, gc=False):
    """A fact and its record in Kafka."""

    fact: Fact
    topic: str = ""
    partition: int = -1
    offset: int = -1

    def case(self, state: Batch, at: Micros) -> Case:
        return Case(self.fact, state.of(self.fact.meta.workspace), at, self.topic, self.partition, self.offset)


OnFailure = Callable[[Arrived, str], None]


async def decide(
    conn: AsyncConnection, arrived: Sequence[Arrived], on_failure: OnFailure = lambda _one, _why: None
) -> AsyncCursor[tuple[int, int]] | None:
    """In the caller's transaction. The cursor gives the last journal position of each partition that got events.

    `on_failure` gets each fact whose rule failed, and why.
    """
    batch = Batch()
    # Of two of one id the first counts.
    digests = {one.fact.meta.id: digest_of(one.fact) for one in reversed(arrived)}
    ids = sorted(digests)
    seen = await conn.execute(SEEN_BEFORE, [text_array(ids), text_array([digests[id] for id in ids])])
    await prefetch(conn, batch, arrived)
    at = now()  # behind the locks: what is decided later in a workspace is recorded later
    news, repeats = unseen(arrived, {id for (id,) in await seen.fetchall()})
    news += await other_versions(conn, repeats)
    decided = await batch.run(conn, news, lambda one: events_of(one, batch, at, on_failure))
    await batch.write(conn)
    flat = [event for events in decided for event in events]
    count(flat)
    if debugging():
        log_decisions(news, decided)
    ringing = {one.fact.meta.workspace for one in news if begins_to_ring(one.fact, at)}
    return await journal.append(conn, flat, sorted(ringing))


def events_of(one: Arrived, batch: Batch, at: Micros, on_failure: OnFailure) -> list[Packed] | None:
    """Returns the events of one fact for the outbox. A rule that fails quarantines its fact and delays no other.

    None when it failed on an assumption that may be wrong: look, and run it again.
    """
    try:
        return [journal.packed(event) for event in decided(one.case(batch, at))]
    except Exception as error:
        batch.forget()
        if batch.assumed:
            return None
        log.exception("a decision failed", fact=one.fact.meta.id)
        why = f"the rule for it failed: {error!r}"
        on_failure(one, why)
        quarantined = refused(one, why)
        return [journal.packed(event) for event in decided(quarantined.case(batch, at))]


def unseen(arrived: Sequence[Arrived], new: set[str]) -> tuple[list[Arrived], list[Arrived]]:
    """Returns the facts that were never decided, each once, in order; and those that were."""
    news, repeats = [], []
    for one in arrived:
        if one.fact.meta.id in new:
            new.remove(one.fact.meta.id)
            news.append(one)
        else:
            repeats.append(one)
    metrics.REPEATS.inc(len(repeats))
    return news, repeats


async def other_versions(conn: AsyncConnection, repeats: Sequence[Arrived]) -> list[Arrived]:
    """Those that came with other content than the one that was decided under their id, each once: they are not
    dropped as repeats, but wait for somebody in quarantine."""
    if not (named := [(one, digest) for one in repeats if (digest := digest_of(one.fact))]):
        return []
    rows = await conn.execute(DIGESTS, [sorted({one.fact.meta.id for one, _ in named})])
    decided_as: dict[str, str | None] = dict(await rows.fetchall())
    others = [
        Arrived(other_version(one.fact), one.topic, one.partition, one.offset)
        for one, digest in named
        if decided_as.get(one.fact.meta.id) not in (None, digest)
    ]
    if not others:
        return []
    new = await conn.execute(SEEN, [sorted({one.fact.meta.id for one in others})])
    return unseen(others, {id for (id,) in await new.fetchall()})[0]


async def prefetch(conn: AsyncConnection, batch: Batch, arrived: Sequence[Arrived]) -> None:
    """Loads the state that the facts will most likely need.

    Their workspaces come first and alone: every decision needs its own, so its holder waits for nobody within
    it. Locked among the rest, a command that named a contact and a form that found it stopped each other.
    """
    await batch.load(conn, sorted({(one.fact.meta.workspace, f"{Workspace.__name__}/{ONLY}") for one in arrived}))
    wanted: Wanted = {}
    for one in arrived:
        workspace = one.fact.meta.workspace
        for kind, key in hints(one.fact):
            wanted[workspace, f"{kind.__name__}/{key}"] = kind
    wanted |= {key: kind for name in wanted.keys() & AFTER.keys() for key, kind in AFTER[name].items()}
    while wanted:
        await batch.load(conn, wanted.keys() - batch.loaded.keys())
        after: Wanted = {}
        for full, kind in wanted.items():
            if kind not in FOLLOW or (entity := batch.there(full, kind)) is None:
                continue
            workspace, name = full
            next_wanted: Wanted = {(workspace, f"{k.__name__}/{n}"): k for k, n in FOLLOW[kind](entity)}
            after |= next_wanted
            if name[-1] == "/":  # a workspace has one of it
                AFTER[full] = next_wanted
        wanted = {key: kind for key, kind in after.items() if key not in batch.loaded}


def refused(one: Arrived, reason: str) -> Arrived:
    """Returns the fact for quarantine."""
    return Arrived(set_aside(one.fact, reason), one.topic, one.partition, one.offset)


def log_decisions(news: Sequence[Arrived], decided: Sequence[Sequence[Packed]]) -> None:
    """Logs a line for each fact. The transaction may still fail: then it is logged again."""
    for one, events in zip(news, decided, strict=True):
        named = [
            {"event_id": id, "type": TYPE_NAMES[kind] if (kind := type_of(value)) else "", "stream": stream}
            for stream, id, _, _, value in events
        ]
        place = f"{one.topic}/{one.partition}/{one.offset}"
        log.debug("decided", fact=one.fact.meta.id, trace=one.fact.meta.trace, place=place, events=named)


def count(events: Sequence[Packed]) -> None:
    for header, number in Counter(event[-1][:HEADER] for event in events).items():
        kind = type_of(header)
        metrics.EVENTS.labels(TYPE_NAMES[kind] if kind else "").inc(number)
        if kind is FactQuarantined:
            metrics.QUARANTINED.inc(number)
