"""The check of a receiver's ledger catches what was lost, strange, out of order or renamed, and a silent gap."""

from collections.abc import Callable, Sequence

import pytest

from crm.contract.codec import TYPE_NAMES
from crm.envelope import named_id
from crm.events import DealOpened
from tests.chaos.invariants import webhooks
from tests.chaos.webhook_probe import TYPES, Arrival, ReceivedEvents
from tests.support.reference_run import TENANTS, events, journal

SHOP = TENANTS[0].workspace


def arrivals() -> list[Arrival]:
    """What a receiver takes when all is well."""
    found: list[Arrival] = []
    for partition, of_it in journal(events()).partitions.items():
        previous: int | None = None
        for position, event in of_it:
            if event.meta.workspace == SHOP and TYPE_NAMES[type(event)] in TYPES:
                ids = named_id(SHOP, event.meta.id), event.meta.id, event.meta.stream
                found.append(Arrival(*ids, partition, position, previous))
                previous = position
    return found


def said(taken: Sequence[Arrival]) -> list[str]:
    return webhooks.broken(journal(events()), [ReceivedEvents(SHOP, TYPES, list(taken))])


def test_all_and_a_repeat_at_any_time_hold() -> None:
    taken = arrivals()
    assert len(taken) > 1
    assert {TYPE_NAMES[DealOpened]} == {*TYPES}
    assert said(taken) == []
    assert said([*taken, *reversed(taken)]) == []


def same_card(taken: list[Arrival]) -> list[Arrival]:
    """As if the last two of a partition were of one card, and came the wrong way round."""
    partition = next(one.partition for one in taken if one.previous is not None)
    first, second, *_ = [one for one in taken if one.partition == partition]
    return [one for one in taken if one.partition != partition or one not in (first, second)] + [
        second._replace(subject=first.subject),
        first,
    ]


@pytest.mark.parametrize(
    ("bug", "what"),
    [
        (lambda taken: taken[:-1], "1 events never came to a receiver of webhooks: "),
        (
            lambda taken: [*taken, taken[0]._replace(webhook_id="x")],
            "1 deliveries were repeated with another webhook-id: ",
        ),
        (
            lambda taken: [*taken, taken[0]._replace(position=10_000)],
            "1 deliveries are of no event that was asked for: ",
        ),
        (lambda taken: [taken[0]._replace(previous=77), *taken[1:]], "1 deliveries name another one before them: "),
        (same_card, "1 deliveries came after a later one of their card: "),
    ],
)
def test_each_bug_is_caught(bug: Callable[[list[Arrival]], list[Arrival]], what: str) -> None:
    (sentence,) = said(bug(arrivals()))
    assert sentence.startswith(what)
