"""A receiver of webhooks gets each event that it asked for, in order by card; a repeat has the id that it had, and each
delivery names the one before it."""

from collections.abc import Sequence

from crm.contract.codec import TYPE_NAMES
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation
from tests.chaos.webhook_probe import Arrival, ReceivedEvents


def broken(journal: Journal, received: Sequence[ReceivedEvents]) -> list[str]:
    return [sentence for one in received for sentence in problems(journal, one)]


def problems(journal: Journal, receiver: ReceivedEvents) -> list[str]:
    wanted = {
        (partition, position): event
        for partition, events in journal.partitions.items()
        for position, event in events
        if event.meta.workspace == receiver.workspace and TYPE_NAMES[type(event)] in receiver.types
    }
    first: dict[tuple[int, int], Arrival] = {}
    wrong: dict[str, list[str]] = {}
    last: dict[str, int] = {}
    for one in receiver.taken:
        place = one.partition, one.position
        if place not in wanted or wanted[place].meta.id != one.event:
            wrong.setdefault("deliveries are of no event that was asked for", []).append(f"{place}")
        elif place not in first:
            first[place] = one
            if one.position < last.get(one.subject, 0):
                wrong.setdefault("deliveries came after a later one of their card", []).append(f"{place}")
            last[one.subject] = one.position
        elif one.webhook_id != first[place].webhook_id:
            wrong.setdefault("deliveries were repeated with another webhook-id", []).append(f"{place}")
    if missed := sorted(wanted.keys() - first.keys()):
        wrong["events never came to a receiver of webhooks"] = [f"{place}" for place in missed]
    before: dict[int, int | None] = {}
    for partition, position in sorted(wanted):
        arrival = first.get((partition, position))
        if arrival and arrival.previous != before.get(partition):
            wrong.setdefault("deliveries name another one before them", []).append(f"{(partition, position)}")
        before[partition] = position
    return [sentence for what, places in wrong.items() for sentence in violation(what, places)]
