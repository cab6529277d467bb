"""A part of the fourth law: who watches a workspace from its beginning sees each of its events once and in order."""

from collections.abc import Sequence

from crm.scalars import Id
from tests.chaos.laws.journal import Journal
from tests.chaos.laws.sentences import sentence
from tests.chaos.watched import Watched


def broken(journal: Journal, watched: Sequence[Watched]) -> list[str]:
    wrong = [problem for watcher in watched for problem in problems(journal, watcher)]
    return sentence("times a watcher saw something else than the journal", wrong)


def problems(journal: Journal, watcher: Watched) -> list[str]:
    found = []
    for partition in sorted({*journal.partitions, *watcher.seen}):
        wanted = [
            (position, event.meta.id)
            for position, event in journal.partitions.get(partition, ())
            if event.meta.workspace == watcher.workspace
        ]
        seen = [one for one in watcher.seen.get(partition, ()) if one[1] not in journal.unread]
        if seen != wanted:
            found.append(f"partition {partition} of workspace {watcher.workspace}: {difference(seen, wanted)}")
    return found


def difference(seen: Sequence[tuple[int, Id]], wanted: Sequence[tuple[int, Id]]) -> str:
    """The first of what is wrong."""
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
