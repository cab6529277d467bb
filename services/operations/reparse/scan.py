"""Finds corrections of past facts: by today's connector, or for one field out of the raw bytes."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.connector import Connection, Connector, delivery_of
from crm.decisions import RULES
from crm.envelope import Fact
from crm.facts import DeliveryKept, DeliveryQuarantined, FormSubmitted
from crm.scalars import Id, Micros
from services.operations.reparse.cards import Card, cards, rows
from services.operations.reparse.corrections import Correction, backfill_corrections, fact_corrections, form_corrections
from services.operations.reparse.past_facts import PastFact
from services.operations.reparse.paths import value_at

BATCH = 500  # facts whose cards are looked up together
SEEN = "SELECT fact_id::text FROM core.fact_seen WHERE fact_id = ANY (%s)"
Steps = Callable[[PastFact, Card], Iterator[Correction]]


class ReparseCounts(Struct):
    """Counts of a reparse."""

    read: int = 0
    same: int = 0
    differ: int = 0
    unreadable: int = 0  # by today's connector, though an earlier one could
    gone: int = 0  # reported then, and not by today's connector: they stay


async def corrections(conn: AsyncConnection, facts: AsyncIterator[PastFact], steps: Steps) -> AsyncIterator[Correction]:
    """Yields corrections in the order of the facts."""
    waiting: list[PastFact] = []
    async for past in facts:
        waiting.append(past)
        if len(waiting) == BATCH:
            for correction in await new_corrections(conn, waiting, steps):
                yield correction
            waiting = []
    for correction in await new_corrections(conn, waiting, steps):
        yield correction


async def new_corrections(conn: AsyncConnection, facts: Sequence[PastFact], steps: Steps) -> list[Correction]:
    """Returns the corrections that were not made before."""
    known = await cards(conn, [past.fact for past in facts])
    found = [correction for past in facts for correction in steps(past, known[past.fact.meta.id])]
    done = {id for (id,) in await rows(conn, SEEN, [correction.id for correction in found])}
    return [correction for correction in found if correction.id not in done]


class Reparse:
    """Reads raw deliveries again with today's connectors. `read` counts."""

    def __init__(
        self,
        connector: Connector,
        connections: Mapping[Id, Connection],
        now: Micros,
        actor: str,
        overwrite: bool,
    ) -> None:
        self.connector, self.connections = connector, connections
        self.now, self.actor, self.overwrite = now, actor, overwrite
        self.read = ReparseCounts()
        self.seen: set[Id] = set()  # facts of all deliveries: each is handled once

    def __call__(self, past: PastFact, card: Card) -> Iterator[Correction]:
        old = past.fact
        self.read.read += 1
        facts = {fact.meta.id: fact for fact in self.facts(old)}
        if old.meta.id in facts or isinstance(old, DeliveryKept):  # under another id it would be counted twice
            yield from self.additional(past, facts)
        new = facts.get(old.meta.id) or renamed(old, facts)
        if any(isinstance(fact, DeliveryQuarantined) for fact in facts.values()) and new is None:
            self.read.unreadable += 1
        elif new is None or type(new) is not type(old):
            self.read.gone += 1
        else:
            steps = list(
                form_corrections(past, new, card, self.now, self.actor, self.overwrite)
                if isinstance(new, FormSubmitted)
                else fact_corrections(past, new, self.now, self.actor)
            )
            self.read.differ += bool(steps)
            self.read.same += not steps
            yield from steps

    def additional(self, past: PastFact, facts: Mapping[Id, Fact]) -> Iterator[Correction]:
        """Yields the facts that the delivery reports in addition, each once. Known ones are left out later."""
        self.seen.add(past.fact.meta.id)
        for id, fact in facts.items():
            if id not in self.seen and not isinstance(fact, DeliveryKept | DeliveryQuarantined):
                self.seen.add(id)
                yield Correction(f"new {type(fact).__name__}", {}, past, fact=fact)

    def facts(self, old: Any) -> list[Fact]:
        delivery = delivery_of(old.raw, old.meta.recorded_at, old.meta.trace)
        return self.connector.read(delivery, self.connections[old.meta.source])


def renamed(old: Any, facts: Mapping[Id, Fact]) -> Any:
    """Returns the fact under the id that today's connector gives it, where a delivery reports one fact of this type."""
    of_this_type = [fact for fact in facts.values() if type(fact) is type(old)]
    one = RULES[type(old)].one_per_delivery and len(of_this_type) == 1
    return replace(of_this_type[0], meta=old.meta) if one else None


class Fill:
    """Fills one custom field of deals or contacts from a path in the raw bytes."""

    def __init__(self, entity: str, key: str, path: str, now: Micros, actor: str, overwrite: bool) -> None:
        self.entity, self.key, self.path = entity, key, path
        self.now, self.actor, self.overwrite = now, actor, overwrite
        self.read = ReparseCounts()
        self.given: set[Id] = set()  # cards that have got a value: the oldest delivery's, unless `overwrite`

    def __call__(self, past: PastFact, card: Card) -> Iterator[Correction]:
        self.read.read += 1
        value, target = value_at(past.fact.raw, self.path), card.deal if self.entity == "deal" else card.contact
        id = target[0] if target else None
        steps: list[Correction] = []
        if value is not None and id is not None and (self.overwrite or id not in self.given):
            self.given.add(id)
            steps += backfill_corrections(
                past, card, self.entity, self.key, value, self.now, self.actor, self.overwrite
            )
        self.read.differ += bool(steps)
        self.read.same += not steps
        yield from steps
