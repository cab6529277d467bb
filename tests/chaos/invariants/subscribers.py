"""Part of the fourth invariant: a subscriber from the beginning sees each event of its workspace once, in order."""

from collections.abc import Sequence

from crm.scalars import Id
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation
from tests.chaos.observed_events import ObservedEvents


def broken(journal: Journal, observed: Sequence[ObservedEvents]) -> list[str]:
    wrong = [problem for subscriber in observed for problem in problems(journal, subscriber)]
    return violation("times a subscriber saw something else than the journal", wrong)


def problems(journal: Journal, subscriber: ObservedEvents) -> list[str]:
    found = []
    for partition in sorted({*journal.partitions, *subscriber.seen}):
        wanted = [
            (position, event.meta.id)
            for position, event in journal.partitions.get(partition, ())
            if event.meta.workspace == subscriber.workspace
        ]
        seen = [one for one in subscriber.seen.get(partition, ()) if one[1] not in journal.unread]
        if seen != wanted:
            found.append(f"partition {partition} of workspace {subscriber.workspace}: {difference(seen, wanted)}")
    return found


def difference(seen: Sequence[tuple[int, Id]], wanted: Sequence[tuple[int, Id]]) -> str:
    """Describes the first difference."""
    unique = {*seen}
    missed = [position for position, id in wanted if (position, id) not in unique]
    strange = [position for position, id in seen if (position, id) not in {*wanted}] if unique - {*wanted} else []
    if missed:
        return f"it missed {len(missed)}, the first at {missed[0]}"
    if strange:
        return f"it saw {len(strange)} that are not there, the first at {strange[0]}"
    if len(unique) < len(seen):
        return f"it saw {len(seen) - len(unique)} twice"
    return "it saw them in another order"
