"""What a subscriber saw of its workspace's journal, however often it was cut off meanwhile."""

from dataclasses import dataclass, field

from crm.scalars import Id


@dataclass
class Watched:
    """By journal partition, in the order of arrival: (position, event id)."""

    workspace: Id
    seen: dict[int, list[tuple[int, Id]]] = field(default_factory=dict)
