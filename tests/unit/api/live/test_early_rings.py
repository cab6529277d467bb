"""Which reports are shown before the journal has them, and that the journal repeats none of them."""

from collections.abc import Sequence

import msgspec
import pytest

from api.live.early_rings import REMEMBERED, EarlyRings, announced, reports_in
from api.live.journal_entry import JournalEntry
from api.live.positions import BEGINNING
from crm.adapters.kafka.journal_log import Slice
from crm.adapters.postgres.outbox import packed
from crm.envelope import Event
from crm.events import CallOpened, CallUpdated
from crm.scalars import Id
from crm.screen_pop.rings import Screen
from crm.shared import Phone
from tests.support.scenarios import SHOP, meta

CARD = Id("11111111-1111-4111-8111-111111111111")
OTHER = Id("33333333-3333-4333-8333-333333333333")


def opened(call: str, workspace: str = SHOP) -> CallOpened:
    return CallOpened(
        meta(f"{call} opened", workspace=Id(workspace)), Id(call), CARD, call, "in", Phone("", ""), "", False
    )


def said(call: str, phase: str, number: int = 1, workspace: str = SHOP) -> CallUpdated:
    return CallUpdated(meta(f"{call} {number}", workspace=Id(workspace)), Id(call), CARD, phase)


def slice_of(events: Sequence[Event], first: int = 40) -> Slice:
    return Slice(3, first, len(events), msgspec.msgpack.encode([packed(event) for event in events]))


def places(found: Sequence[JournalEntry]) -> list[tuple[int, int, str]]:
    return [(one.partition, one.position, one.id) for one in found]


def test_a_notification_names_the_transaction_and_the_workspaces() -> None:
    assert announced("17 a b") == (17, ["a", "b"])


@pytest.mark.parametrize("payload", ["", " ", "x a", "-1 a", "1.5 a", "٣ a", f"{10**18} a"])
def test_a_notification_of_somebody_else_names_no_workspace(payload: str) -> None:
    """Every user of the database may notify: what is not ours must not end the session that listens."""
    assert announced(payload) == (0, [])


def test_a_call_that_begins_here_is_shown_until_it_does_something_else() -> None:
    """What ended in the same transaction would be shown again to a client that comes back with the cursor in between:
    the end is not in it, and the positions are before both."""
    first, again = said("a", "ringing"), said("a", "ringing", 2)
    events = [opened("a"), first, again, said("a", "answered", 3), said("a", "ringing", 4)]
    assert places(reports_in([slice_of(events)], {SHOP})[SHOP]) == [
        (3, 40, events[0].meta.id),
        (3, 41, first.meta.id),
        (3, 42, again.meta.id),
    ]


def test_a_call_that_was_open_before_waits_for_the_journal() -> None:
    """A report of it may be on its way that ended what now rings again."""
    assert reports_in([slice_of([said("a", "ringing")])], {SHOP}) == {}


def test_only_the_workspaces_of_open_screens_are_read() -> None:
    events = [opened("a"), said("a", "ringing"), opened("b", OTHER), said("b", "ringing", workspace=OTHER)]
    found = reports_in([slice_of(events)], {OTHER})
    assert {name: places(entries) for name, entries in found.items()} == {
        OTHER: [(3, 42, events[2].meta.id), (3, 43, events[3].meta.id)]
    }


def test_what_the_journal_brought_first_is_not_shown_early() -> None:
    (entries,) = reports_in([slice_of([opened("a"), said("a", "ringing")])], {SHOP}).values()
    late, early = EarlyRings(Screen()), EarlyRings(Screen())
    late.waiting, early.waiting = list(entries), list(entries)
    assert late.take((0, 0, 0, 42, *BEGINNING[4:])) == []
    assert [late.is_repeat(entry) for entry in entries] == [False, False]
    assert early.take(BEGINNING) == entries
    assert [early.is_repeat(entry) for entry in entries] == [True, True]
    assert [early.is_repeat(entry) for entry in entries] == [False, False]
    assert early.take(BEGINNING) == []


def test_what_the_journal_never_brings_is_forgotten_some_day() -> None:
    early = EarlyRings(Screen())
    for number in range(REMEMBERED + 1):
        early.waiting = reports_in([slice_of([opened(str(number))])], {SHOP})[SHOP]
        early.take(BEGINNING)
    assert len(early.shown) == REMEMBERED
