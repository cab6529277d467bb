"""Runs decide without Kafka and Postgres: for tests, examples and trying a rule on last month's facts."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from crm.commands import Command, CommandSpec
from crm.decisions import commands, decided
from crm.decisions.case import Case
from crm.decisions.delivery import other_version
from crm.envelope import Event, Fact
from crm.scalars import Id, Micros
from crm.state import fold
from crm.state.entity import E, Entity
from crm.versions import digest_of


class MemoryState:
    """The state of one workspace; everything is loaded. `things` is by kind and key."""

    def __init__(self) -> None:
        self.things: dict[tuple[str, str], Entity] = {}

    def get(self, kind: type[E], key: str) -> E | None:
        thing: Any = self.things.get((kind.__name__, key))
        return thing  # type: ignore[no-any-return]  # it is under the name of its own class

    def put(self, key: str, entity: Entity) -> None:
        self.things[type(entity).__name__, key] = entity

    def drop(self, kind: type[Entity], key: str) -> None:
        self.things.pop((kind.__name__, key), None)


class MemoryDecide:
    """Takes facts as the decide role does: one after the other, each once."""

    def __init__(self) -> None:
        self.states: defaultdict[Id, MemoryState] = defaultdict(MemoryState)
        self.journal: list[Event] = []
        self.seen: dict[Id, str] = {}  # with the digest of its content, where it has one

    def take(self, fact: Fact, now: Micros | None = None) -> list[Event]:
        """Returns the new events; none when the fact was taken before. `now` is the fact's own time by default."""
        if (before := self.seen.get(fact.meta.id)) is not None:
            digest = digest_of(fact)
            return self.take(other_version(fact), now) if before and digest and before != digest else []
        self.seen[fact.meta.id] = digest_of(fact)
        state = self.states[fact.meta.workspace]
        events = decided(Case(fact, state, fact.meta.recorded_at if now is None else now, "memory", 0, len(self.seen)))
        self.journal += events
        return events

    def carry_out(self, declared: CommandSpec, command: Command, key: str = "") -> list[Event]:
        """Returns the events of a command. Raises Rejected, and nothing has changed then."""
        state = self.states[command.meta.workspace]
        before = dict(state.things)
        try:
            events = commands.decided(declared, Case(command, state, command.meta.recorded_at), key)
        except Exception:
            state.things = before
            raise
        self.journal += events
        return events

    def append(self, *events: Event) -> None:
        """Appends events that no fact caused: a workspace that is created, rules that are set."""
        for event in events:
            fold(self.states[event.meta.workspace], event)
            self.journal.append(event)


def rebuilt(journal: Iterable[Event]) -> dict[Id, dict[tuple[str, str], Entity]]:
    """Folds the journal into the state of each workspace."""
    states: defaultdict[Id, MemoryState] = defaultdict(MemoryState)
    for event in journal:
        fold(states[event.meta.workspace], event)
    return {workspace: state.things for workspace, state in states.items()}
