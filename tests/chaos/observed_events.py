"""The events that a subscriber has received, across reconnects."""

from dataclasses import dataclass, field

from crm.scalars import Id


@dataclass
class ObservedEvents:
    """By journal partition, in the order of arrival: (position, event id)."""

    workspace: Id
    seen: dict[int, list[tuple[int, Id]]] = field(default_factory=dict)
