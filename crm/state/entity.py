"""What every remembered thing is, and where it is remembered."""

from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from msgspec import Struct

from crm.envelope import Event
from crm.errors import Broken


class Entity(Struct, frozen=True, gc=False, omit_defaults=True):
    """One remembered thing of a workspace: a fold of the journal. Its kind is the class's name."""


E = TypeVar("E", bound=Entity)


class State(Protocol):
    """The remembered things of one workspace.

    What an engine has not loaded it may first take for absent; it then looks, and decides again if it was wrong.
    """

    def get(self, kind: type[E], key: str) -> E | None:
        """None when there is no such thing."""

    def put(self, key: str, entity: Entity) -> None:
        """For folds only: decisions change nothing, they yield events. The thing need not have been got before."""

    def drop(self, kind: type[Entity], key: str) -> None:
        """For folds only."""


Changes = dict[type[Event], Callable[[State, Any], None]]
"""How each event of a kind changes the state."""


def known(state: State, kind: type[E], key: str) -> E:
    """What must be there, because something that is there names it. Raises Broken."""
    entity = state.get(kind, key)
    if entity is None:
        raise Broken(f"{kind.__name__} {key} is not in the state: its first event is missing. Rebuild the state.")
    return entity
