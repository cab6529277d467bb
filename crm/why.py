"""Why a field has its value: the fold is run event by event, and the event that changed the field is the answer.

It works for every projection, also one of tomorrow: there is nothing to declare.
"""

from collections.abc import Iterable
from typing import Any, NamedTuple

from msgspec.structs import asdict

from crm.envelope import Event
from crm.errors import CrmError
from crm.projection import Projection

REASONS = ("why", "rule", "rules_version", "by", "reason")  # fields in which events say what led to them


class Unknown(CrmError):
    """Asked for a row or a field that is not there."""


class Change(NamedTuple):
    """One event that gave a field another value."""

    before: Any
    after: Any
    event: Event

    @property
    def reasons(self) -> dict[str, Any]:
        """What the event itself says of its grounds: the rule and its version, the sentence."""
        said = asdict(self.event)
        return {name: said[name] for name in REASONS if said.get(name) not in (None, "")}


def changes(projection: Projection[Any], events: Iterable[Event], field: str) -> list[Change]:
    """`events`: of one row, in order. The last of the changes is why the value is what it is. Raises Unknown."""
    names = [column.name for column in projection.columns]
    if field not in names:
        raise Unknown(f"{projection.name} has no field {field!r}; it has {', '.join(names)}.")
    row: Any = None
    found = []
    for event in events:
        before, row = row, projection.fold(row if projection.needs_row else None, event)
        was, now = (getattr(r, field, None) for r in (before, row))
        if was != now or (before is None and row is not None):  # a first value counts also when it is empty
            found.append(Change(was, now, event))
    return found
