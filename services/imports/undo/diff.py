"""What an import changed of one record, value by value, and what others changed since."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from crm.envelope import Event
from crm.events import ContactAbsorbed, ContactReleased, IdentifierDoubted, IdentifierSettled
from crm.scalars import Id

# What happens to a card because of others: it changes nothing that the card says.
QUIET = (IdentifierDoubted, IdentifierSettled, ContactAbsorbed, ContactReleased)
NULL = "null"
Values = dict[str, str]  # JSON text by name


class Sources(NamedTuple):
    """`imports`: of the import's facts, by how often it was undone before. `own`: also those of its undos."""

    imports: Sequence[Id]
    own: frozenset[Id]

    def latest(self, events: Iterable[Event]) -> Id | None:
        """Returns the source that brought the record last."""
        there = {event.meta.source for event in events}
        return next((source for source in reversed(self.imports) if source in there), None)


class Diff:
    """What the import changed of one record, and what others changed since."""

    def __init__(self, source: Id, own: frozenset[Id]) -> None:
        self.source, self.own = source, own
        self.began = False
        self.before: Values = {}
        self.imported: Values = {}
        self.touched: list[Event] = []
        self.changed_by: dict[str, Event] = {}

    def mine(self, event: Event) -> bool:
        return bool(event.meta.source == self.source)

    def see(self, event: Event, was: Values, now: Values) -> None:
        """`was`, `now`: the values of the record around the event."""
        mine = self.mine(event)
        if mine and not self.began:
            self.began, self.before = True, was
        if not self.began or (not mine and event.meta.source in self.own):
            return
        if not mine and not isinstance(event, QUIET):
            self.touched.append(event)
        for name in {*was, *now}:
            if was.get(name) != now.get(name):
                if mine:
                    self.imported[name] = now.get(name, NULL)
                else:
                    self.changed_by[name] = event

    def back(self, now: Values) -> tuple[Values, Values, dict[str, Event]]:
        """Returns what is set back, as it is now and as it was, and what stays with the event that changed it."""
        imported, stays = {}, {}
        for name, text in self.imported.items():
            is_now, was = now.get(name, NULL), self.before.get(name, NULL)
            if name in self.changed_by and is_now != was:
                stays[name] = self.changed_by[name]
            elif is_now == text != was:
                imported[name] = text
        return imported, {name: self.before[name] for name in imported if name in self.before}, stays
