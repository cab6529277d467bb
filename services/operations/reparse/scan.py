"""Goes through past facts and says what to put right: by today's connector, or for one field out of the raw bytes."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct
from msgspec.structs import replace
from psycopg import AsyncConnection

from crm.connector import Connection, Connector, Delivery
from crm.envelope import Fact
from crm.facts import CallReported, DeliveryKept, DeliveryQuarantined, FormSubmitted, MessageReported
from crm.scalars import Id, Micros
from services.operations.reparse.cards import Card, cards, rows
from services.operations.reparse.corrections import Correction, filled, form_anew, told_anew
from services.operations.reparse.past import Past
from services.operations.reparse.paths import at

AT_ONCE = 500  # facts whose cards are looked up together
SEEN = "SELECT fact_id::text FROM core.fact_seen WHERE fact_id = ANY (%s)"
ONE_EACH = (FormSubmitted, CallReported, MessageReported)  # of these a delivery usually tells one
Steps = Callable[[Past, Card], Iterator[Correction]]


class Read(Struct):
    """How reading went, in numbers."""

    read: int = 0
    same: int = 0
    differ: int = 0
    unreadable: int = 0  # by today's connector, though an earlier one could
    gone: int = 0  # told then, and today's connector tells no such thing: they stay


async def corrections(conn: AsyncConnection, facts: AsyncIterator[Past], steps: Steps) -> AsyncIterator[Correction]:
    """In the order of the facts."""
    waiting: list[Past] = []
    async for past in facts:
        waiting.append(past)
        if len(waiting) == AT_ONCE:
            for correction in await of(conn, waiting, steps):
                yield correction
            waiting = []
    for correction in await of(conn, waiting, steps):
        yield correction


async def of(conn: AsyncConnection, facts: Sequence[Past], steps: Steps) -> list[Correction]:
    """Those that were not done before."""
    known = await cards(conn, [past.fact for past in facts])
    found = [correction for past in facts for correction in steps(past, known[past.fact.meta.id])]
    done = {id for (id,) in await rows(conn, SEEN, [correction.id for correction in found])}
    return [correction for correction in found if correction.id not in done]


class Reparse:
    """Today's connectors read raw deliveries again. `read` counts."""

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
        self.read = Read()
        self.seen: set[Id] = set()  # facts that a delivery told, over all deliveries: each is looked at once

    def __call__(self, past: Past, card: Card) -> Iterator[Correction]:
        old = past.fact
        self.read.read += 1
        told = {fact.meta.id: fact for fact in self.told(old)}
        if old.meta.id in told or isinstance(old, DeliveryKept):  # under another id it would be counted twice
            yield from self.untold(past, told)
        new = told.get(old.meta.id) or renamed(old, told)
        if any(isinstance(fact, DeliveryQuarantined) for fact in told.values()) and new is None:
            self.read.unreadable += 1
        elif new is None or type(new) is not type(old):
            self.read.gone += 1
        else:
            steps = list(
                form_anew(past, new, card, self.now, self.actor, self.overwrite)
                if isinstance(new, FormSubmitted)
                else told_anew(past, new, self.now, self.actor)
            )
            self.read.differ += bool(steps)
            self.read.same += not steps
            yield from steps

    def untold(self, past: Past, told: Mapping[Id, Fact]) -> Iterator[Correction]:
        """What the delivery tells besides, each once; what was told then is known and left out later."""
        self.seen.add(past.fact.meta.id)
        for id, fact in told.items():
            if id not in self.seen and not isinstance(fact, DeliveryKept | DeliveryQuarantined):
                self.seen.add(id)
                yield Correction(f"new {type(fact).__name__}", {}, past, fact=fact)

    def told(self, old: Any) -> list[Fact]:
        raw = old.raw
        headers = {"content-type": raw.content_type, **raw.headers}
        delivery = Delivery(headers, raw.body, old.meta.recorded_at, raw.query, old.meta.trace)
        return self.connector.read(delivery, self.connections[old.meta.source])


def renamed(old: Any, told: Mapping[Id, Fact]) -> Any:
    """What a delivery tells under the id that today's connector gives it, where it tells one thing of this kind."""
    alike = [fact for fact in told.values() if type(fact) is type(old)]
    return replace(alike[0], meta=old.meta) if isinstance(old, ONE_EACH) and len(alike) == 1 else None


class Fill:
    """One custom field of deals or contacts, from a path in the raw bytes."""

    def __init__(self, entity: str, key: str, path: str, now: Micros, actor: str, overwrite: bool) -> None:
        self.entity, self.key, self.path = entity, key, path
        self.now, self.actor, self.overwrite = now, actor, overwrite
        self.read = Read()
        self.given: set[Id] = set()  # cards that have got a value: the oldest delivery's, unless `overwrite`

    def __call__(self, past: Past, card: Card) -> Iterator[Correction]:
        self.read.read += 1
        value, target = at(past.fact.raw, self.path), card.deal if self.entity == "deal" else card.contact
        id = target[0] if target else None
        steps: list[Correction] = []
        if value is not None and id is not None and (self.overwrite or id not in self.given):
            self.given.add(id)
            steps += filled(past, card, self.entity, self.key, value, self.now, self.actor, self.overwrite)
        self.read.differ += bool(steps)
        self.read.same += not steps
        yield from steps
