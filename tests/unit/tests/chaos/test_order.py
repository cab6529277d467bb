"""The fourth invariant catches two cards of one phone, a stream out of order, a subscriber that missed or doubled."""

import pytest
from msgspec.structs import replace

from crm.envelope import named_id
from crm.events import ContactCreated, ContactMerged, DealOpened, IdentifierAdded
from crm.scalars import Id
from tests.chaos.invariants import identities, order, subscribers
from tests.chaos.observed_events import ObservedEvents
from tests.support.reference_run import ROOT, TENANTS, events, journal, last


def test_a_true_journal_holds() -> None:
    read = journal(events())
    assert order.broken(read) == []
    assert identities.broken(read) == []
    assert any(isinstance(event, ContactMerged) for event in read.events)


def test_an_event_before_the_birth_of_its_thing_is_caught() -> None:
    log = events()
    opened = log.pop(last(DealOpened, log))
    assert isinstance(opened, DealOpened)
    (said,) = order.broken(journal([*log, opened]))
    assert said.startswith("1 events come before what they are about was created: DealAssigned at ")
    assert said.endswith(f" of deal_id {opened.deal_id}.")


def test_a_contact_that_is_born_twice_is_caught() -> None:
    log = events()
    created = log[last(ContactCreated, log)]
    assert isinstance(created, ContactCreated)
    (said,) = order.broken(journal([*log, created]))
    assert said.startswith(f"1 things came into being twice: ContactCreated {created.contact_id} at ")


def test_two_contacts_of_one_phone_are_caught() -> None:
    """Two decide workers met the same phone at the same instant, and each made a card."""
    log = events()
    added = log[last(IdentifierAdded, log)]
    assert isinstance(added, IdentifierAdded)
    other = named_id(ROOT, "another card")
    double = replace(added, contact_id=other, meta=replace(added.meta, stream=other))
    first, second = sorted((added.contact_id, other))
    assert identities.broken(journal([*log, double])) == [
        f"1 identifiers belong to more than one contact: {added.kind} {added.value} of {first} and of {second}."
    ]
    merged = ContactMerged(replace(added.meta, stream=other), other, added.contact_id, "it is the same person")
    assert identities.broken(journal([*log, double, merged])) == []


def test_contacts_merged_in_a_ring_end_the_search() -> None:
    one, two = named_id(ROOT, "one"), named_id(ROOT, "two")
    assert identities.surviving_contact(one, {one: two, two: one}) == two


def subscriber() -> ObservedEvents:
    """Of the first shop, who saw all."""
    seen: dict[int, list[tuple[int, Id]]] = {}
    for partition, placed in journal(events()).partitions.items():
        mine = [(position, event.meta.id) for position, event in placed if event.meta.workspace == TENANTS[0].workspace]
        if mine:
            seen[partition] = mine
    return ObservedEvents(TENANTS[0].workspace, seen)


def test_a_watcher_who_saw_all_holds() -> None:
    assert sum(map(len, subscriber().seen.values())) > 500
    assert subscribers.broken(journal(events()), [subscriber(), subscriber()]) == []


@pytest.mark.parametrize(
    ("offence", "said"),
    [
        ("missed", "it missed 1, the first at {0}"),
        ("doubled", "it saw 1 twice"),
        ("swapped", "it saw them in another order"),
        ("strange", "it saw 1 that are not there, the first at 999999"),
    ],
)
def test_each_offence_of_a_watcher_is_caught(offence: str, said: str) -> None:
    one = subscriber()
    partition = min(one.seen)
    seen = one.seen[partition]
    position = seen[0][0]
    match offence:
        case "missed":
            del seen[0]
        case "doubled":
            seen.append(seen[-1])
        case "swapped":
            seen.reverse()
        case "strange":
            seen.append((999_999, named_id(ROOT, "strange")))
    assert subscribers.broken(journal(events()), [one]) == [
        f"1 times a subscriber saw something else than the journal: partition {partition} of workspace "
        f"{one.workspace}: {said.format(position)}."
    ]


def test_a_watcher_of_an_idle_partition_is_no_exception() -> None:
    one = subscriber()
    partition = min(one.seen)
    missed = one.seen.pop(partition)
    (said,) = subscribers.broken(journal(events()), [one])
    assert said.endswith(f"it missed {len(missed)}, the first at {missed[0][0]}.")
