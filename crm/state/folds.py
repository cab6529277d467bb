"""How each event changes the state. A fold touches only what the package's docstring allows."""

from collections.abc import Iterable

from crm.envelope import Event
from crm.state.changes import contacts, deals, objects, parcels, payments, removals, reports, talk, workspace
from crm.state.changes import manual_entities as by_hand
from crm.state.entity import Changes, State

FOLDS: Changes = {}
for part in (workspace, contacts, deals, payments, parcels, talk, reports, objects, by_hand, removals):
    FOLDS |= part.CHANGES


def fold(state: State, event: Event) -> None:
    """Take an event into the state. Events that nothing depends on change nothing. Raises Broken on a torn stream."""
    change = FOLDS.get(type(event))
    if change:
        change(state, event)


def fold_all(state: State, events: Iterable[Event]) -> list[Event]:
    """Returns the events, each taken into the state before the next one is asked for. Raises Broken as `fold`."""
    taken = []
    for event in events:
        fold(state, event)
        taken.append(event)
    return taken
