"""What a decision may know and do: one fact, the state that earlier events gave, and envelopes for new events."""

from collections.abc import Callable, Iterable
from typing import Any

from crm.commands import Command
from crm.connector_catalogue import Catalogue, catalogue
from crm.envelope import Event, Fact, made_id, named_id
from crm.scalars import Id, Micros
from crm.shared import Meta
from crm.state.entity import E as E
from crm.state.entity import Entity as Entity
from crm.state.entity import State as State


class Case:
    """One fact under decision, on the state of its workspace."""

    def __init__(self, fact: Fact, state: State, now: Micros, topic: str = "", partition: int = -1, offset: int = -1):
        self.fact, self.state, self.now = fact, state, now
        self.place = topic, partition, offset
        self.events = 0
        self.trial = False  # a past is tried by its own dates: stage rules act as if it happened now

    def meta(self, stream: Id, actor: str = "") -> Meta:
        """The envelope of the next event: its id follows from the cause and the event's ordinal."""
        cause = self.fact.meta
        self.events += 1
        return Meta(
            id=self.new_id("", self.events),
            workspace=cause.workspace,
            stream=stream,
            occurred_at=cause.occurred_at,
            recorded_at=self.now,
            source=cause.source,
            cause=cause.id,
            cause_topic=self.place[0],
            cause_partition=self.place[1],
            cause_offset=self.place[2],
            actor=actor or cause.actor,
            trace=cause.trace,
        )

    @property
    def moment(self) -> Micros:
        """When stage rules act: now, or in a trial of the past when it happened."""
        return self.fact.meta.occurred_at if self.trial else self.now

    @property
    def connectors(self) -> Catalogue:
        """The connectors of this release: data that is as constant as the code of a decision."""
        return catalogue()

    def new_id(self, what: str, ordinal: int = 0) -> Id:
        """An id for something that this fact brings into being: the same whenever it is decided again.

        `what`: "" for an event, which has an ordinal.
        A command that is given again under its key has another time, and must give the same ids: its secrets may have
        been written before it was cut off.
        """
        cause = self.fact.meta
        if isinstance(self.fact, Command):
            return named_id(cause.id, what or str(ordinal))
        return made_id(cause, what, ordinal)


Decision = Callable[[Any, Case], Iterable[Event]]
"""Pure: (fact, case) -> events. Each event is folded into case.state before the decision goes on. Every fact that is
not a repeat yields at least one event, so that its effect can be found in the journal."""
