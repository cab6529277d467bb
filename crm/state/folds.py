"""How each event changes the state. A fold touches only what the package's docstring allows."""

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
