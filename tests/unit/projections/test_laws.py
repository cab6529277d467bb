"""What holds for every read model, whatever the journal says: each history that is drawn is folded by all of them."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from crm import events as every_event
from crm.envelope import Event
from projections import PROJECTIONS
from tests.support.projection_events import Rows, fold, histories

UNTIMED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
UNSEEN = {
    "ChatMoved",
    "DeliveryNoted",
    "ImportUndoBegan",
    "ImportUndone",
    "ObjectReportOutdated",
    "ParcelReportOutdated",
    "PaymentReportOutdated",
    "ReportRecorded",
    "ReportWithdrawn",
    "CommandAccepted",
    "WebhookDeliveriesSettled",
    "WebhookReplayed",
    "WebhookTested",
}  # change nothing that a card shows
# Rows that count or add up: the machinery, not the fold, sees to it that an event comes once.
COUNTS = {"conversation": every_event.MessageReceived | every_event.ReplyQueued, "deal": every_event.DealPaid}


@UNTIMED
@given(history=histories("Olena"), cut=st.integers(0, 30))
def test_a_prefix_and_then_the_rest_is_all(history: list[Event], cut: int) -> None:
    for name, projection in PROJECTIONS.items():
        assert fold(projection, history[cut:], fold(projection, history[:cut])) == fold(projection, history), name


@UNTIMED
@given(one=histories("Olena"), other=histories("Petro"), random=st.randoms(use_true_random=False))
def test_streams_do_not_meet(one: list[Event], other: list[Event], random: Any) -> None:
    """Whatever the interleaving, each stream in its own order gives the same rows."""
    mixed, left, right = [], list(one), list(other)
    while left or right:
        mixed.append((left if left and (not right or random.random() < 0.5) else right).pop(0))
    for name, projection in PROJECTIONS.items():
        apart: Rows = fold(projection, one) | fold(projection, other)
        assert fold(projection, mixed) == apart, name


@UNTIMED
@given(history=histories("Olena"))
def test_a_repeated_event_changes_nothing(history: list[Event]) -> None:
    for name, projection in PROJECTIONS.items():
        counted = COUNTS.get(name)
        once = [event for event in history if not (counted and isinstance(event, counted))]
        twice = [event for event in once for _ in range(2)]
        assert unnumbered(fold(projection, twice)) == unnumbered(fold(projection, once)), name


def unnumbered(rows: Rows) -> Rows:
    """A version counts events: here too the machinery sees to it that one comes once."""
    return {key: replace(row, version=0) if hasattr(row, "version") else row for key, row in rows.items()}


def test_every_event_reaches_a_read_model() -> None:
    """An event that nobody sees is a mistake, but for those that change nothing there."""
    published = {name for name, kind in vars(every_event).items() if isinstance(kind, type) and issubclass(kind, Event)}
    handled = {kind.__name__ for projection in PROJECTIONS.values() for kind in projection.handles}
    assert published - {"Event"} - handled == UNSEEN
