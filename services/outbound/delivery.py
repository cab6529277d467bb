"""What is sent: a delivery is an event and whom it goes to. What plans deliveries and makes them is a follower."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Coroutine, Sequence
from enum import StrEnum
from typing import Any

from msgspec import Struct
from psycopg import AsyncConnection

from crm.adapters.postgres.history import WORKSPACE
from crm.contract.codec import TYPE_NAMES, decode, type_of
from crm.envelope import Event
from crm.scalars import Id, Micros

SECOND = 1_000_000  # microseconds


class State(StrEnum):
    """Where a delivery is. The last four are its end, unless a person sends it again."""

    WAITING = "waiting"
    SENDING = "sending"  # of what may be sent once only: an attempt was begun
    DELIVERED = "delivered"
    DEAD = "dead"  # given up
    DISCARDED = "discarded"  # by a person
    UNCERTAIN = "uncertain"  # it may have arrived, and must not be sent twice


class Recorded:
    """A record of the journal. It is decoded when somebody asks for its event. `kind`: its type; None when this release
    does not know it."""

    __slots__ = ("_event", "kind", "partition", "position", "value")

    def __init__(self, partition: int, position: int, value: bytes) -> None:
        self.partition, self.position, self.value = partition, position, value
        self.kind: type[Event] | None = type_of(value)
        self._event: Event | None = None

    @property
    def workspace(self) -> Id:
        return Id(self.value[WORKSPACE].decode())

    @property
    def event(self) -> Event:
        if self._event is None:
            self._event = decode(self.value)
        return self._event


class Delivery(Struct):
    """One delivery. `id` stays the same over all attempts and replays: receivers recognise a repeat by it."""

    id: Id
    kind: str  # the follower's
    workspace: Id
    target: Id  # whom it goes to, such as a webhook or a connection: one that is slow delays no other
    key: Id  # deliveries of one key go to a target one after the other
    stream: Id
    partition: int
    position: int
    type: str
    previous: int | None = None
    due_at: Micros = Micros(0)
    attempts: int = 0
    state: str = State.WAITING
    event: Event | None = None  # None: to be read from core.history

    @property
    def order(self) -> tuple[int, int]:
        return self.partition, self.position


def delivery_of(recorded: Recorded, kind: str, id: Id, target: Id, key: Id, previous: int | None = None) -> Delivery:
    """Returns a delivery of this record, due at once."""
    event = recorded.event
    place = event.meta.stream, recorded.partition, recorded.position
    return Delivery(id, kind, event.meta.workspace, target, key, *place, TYPE_NAMES[type(event)], previous, event=event)


class Outcome(Struct, frozen=True):
    """What became of an attempt. WAITING: it is tried again at `due_at`."""

    state: State
    due_at: Micros = Micros(0)
    status: int = 0  # of the answer; 0 without one
    error: str = ""
    response: str = ""
    took_ms: float = 0.0
    pause_until: Micros = Micros(0)  # nothing else goes to the target before
    counts: bool = True  # as an attempt
    healthy: bool = False  # the target works, though this one did not arrive


class Settled(Struct, frozen=True):
    """An attempt and its outcome."""

    delivery: Delivery
    outcome: Outcome
    at: Micros


Waiting = Callable[[Id], int]  # how many deliveries wait for a target


class Follower(ABC):
    """Plans deliveries from events, and makes them."""

    kind: str  # of its deliveries. It is stored: never change it
    once = False  # True: a delivery must not be made twice. The beginning of an attempt is stored on disk before it is
    # made, and one whose outcome is unknown becomes UNCERTAIN

    @abstractmethod
    async def plan(self, conn: AsyncConnection, records: Sequence[Recorded], waiting: Waiting) -> list[Delivery]:
        """Returns the deliveries of these records, in order. Runs in the transaction that moves the checkpoints.

        What is planned follows from the records and from what earlier transactions stored, by a pure function.
        """

    async def hold(self, delivery: Delivery) -> Outcome | None:
        """Returns an outcome that is WAITING and does not count for what may not be sent yet. Asked before each
        attempt, and before its beginning is stored."""
        return None

    def repeats(self, delivery: Delivery) -> bool:
        """Whether an attempt of unknown outcome may be made again although `once`: the receiver knows a repetition."""
        return False

    @abstractmethod
    async def send(self, delivery: Delivery) -> Outcome:
        """Makes one attempt. `delivery.event` is there. What it raises counts as a failed attempt."""

    def committed(self) -> None:  # noqa: B027  # most have nothing to do
        """What `plan` did last is committed. If it is not called, the transaction failed and is run again."""

    async def settled(self, conn: AsyncConnection, settled: Sequence[Settled]) -> None:  # noqa: B027  # likewise
        """Runs in the transaction that stores these outcomes."""

    def background(self) -> Coroutine[Any, Any, None] | None:
        """What runs as long as the role does, if anything."""
        return None

    def missing(self) -> str | None:
        """Returns why it is not ready, or None."""
        return None
