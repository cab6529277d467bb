"""The first law catches what it must: a lost fact, a doubled one, half of one, one that nobody sent."""

from msgspec.structs import replace

from crm.envelope import named_id
from crm.events import (
    CallUpdated,
    DealOpened,
    FactQuarantined,
    MessageReceived,
    PaymentRecorded,
    PaymentReportOutdated,
)
from tests.chaos.laws import effects
from tests.chaos.ledger import Kind
from tests.support.chaos_world import ROOT, SHOPS, events, journal, last, ledger


def test_a_true_journal_holds() -> None:
    found = effects.counted(journal(events()), ledger())
    facts = len(ledger().facts)
    assert facts > 500
    assert found == effects.Counted(facts, 0, 0, [])


def test_a_lost_fact_is_caught() -> None:
    told = events()
    cause = told[last(CallUpdated, told)].meta.cause
    found = effects.counted(journal([event for event in told if event.meta.cause != cause]), ledger())
    assert (found.lost, found.duplicated) == (1, 0)
    assert found.broken == [f"1 acknowledged facts have no effect in the journal: CallReported {cause}."]


def test_a_doubled_event_is_caught() -> None:
    told = events()
    double = told[last(CallUpdated, told)]
    found = effects.counted(journal([*told, double]), ledger())
    assert (found.lost, found.duplicated) == (0, 1)
    assert found.broken == [
        f"1 acknowledged facts have more than one effect: CallReported {double.meta.cause} has 2.",
        f"1 facts have events that are in the journal twice: 1 of {double.meta.cause}.",
    ]


def test_a_fact_that_was_decided_again_with_another_outcome_is_caught() -> None:
    """A payment's report told twice was recorded, and then found outdated: two effects of one fact."""
    told = events()
    recorded = told[last(PaymentRecorded, told)]
    assert isinstance(recorded, PaymentRecorded)
    again = replace(recorded.meta, id=named_id(recorded.meta.cause, "99"))
    outdated = PaymentReportOutdated(again, recorded.payment_id, "settled", "it says what is known already")
    found = effects.counted(journal([*told, outdated]), ledger())
    assert (found.lost, found.duplicated) == (0, 1)
    assert found.broken[0] == (
        f"1 acknowledged facts have more than one effect: PaymentReported {recorded.meta.cause} has 2."
    )


def test_a_good_fact_in_quarantine_is_caught() -> None:
    """A decide role that met an empty database set everything aside, for there was no workspace: nothing was lost, and
    nothing was right."""
    told = events()
    place = next(n for n, event in enumerate(told) if isinstance(event, PaymentRecorded | PaymentReportOutdated))
    meta = told[place].meta
    rest = [event for event in told if event.meta.cause != meta.cause]
    aside = FactQuarantined(
        replace(meta, id=named_id(meta.cause, "1")), meta.cause, "facts", "no workspace", "application/json", 1, "", ""
    )
    found = effects.counted(journal([*rest, aside]), ledger())
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.broken == [f"1 good facts were put into quarantine: PaymentReported {meta.cause}."]


def test_half_of_a_fact_is_caught() -> None:
    """Its first event is there, the second is not: a transaction came through in part."""
    told = events()
    opened = told[last(DealOpened, told)]
    assert opened.meta.id != named_id(opened.meta.cause, "1")
    rest = [event for event in told if event.meta.id != named_id(opened.meta.cause, "1")]
    left = sum(event.meta.cause == opened.meta.cause for event in rest)
    found = effects.counted(journal(rest), ledger())
    assert found.broken == [
        f"1 facts have only a part of their events in the journal: {left} events of {opened.meta.cause}."
    ]


def test_events_out_of_their_order_are_caught() -> None:
    told = events()
    place = last(MessageReceived, told)
    n = next(
        n
        for n in range(place, 0, -1)
        if told[n].meta.cause == told[n - 1].meta.cause and told[n].meta.stream == told[n - 1].meta.stream
    )
    told[n - 1], told[n] = told[n], told[n - 1]
    found = effects.counted(journal(told), ledger())
    assert found.broken == [f"1 facts have events out of their order in a partition: those of {told[n].meta.cause}."]


def test_a_cause_that_nobody_sent_is_caught() -> None:
    told = events()
    cause = named_id(ROOT, "of a stranger")
    stray = told[last(CallUpdated, told)]
    stray = replace(stray, meta=replace(stray.meta, id=named_id(cause, "1"), cause=cause))
    found = effects.counted(journal([*told, stray]), ledger())
    assert found.broken == [f"1 causes in the journal were never acknowledged to anybody: {cause}."]


def test_a_fact_in_another_workspace_is_caught() -> None:
    book = ledger()
    id, kind = next(iter(book.facts.items()))
    (other,) = {shop.workspace for shop in SHOPS} - {kind.workspace}
    book.facts[id] = Kind(kind.fact, other)
    found = effects.counted(journal(events()), book)
    assert found.broken == [f"1 facts have events in another workspace than their own: {kind.fact} {id}."]


def test_an_event_of_a_newer_version_is_no_gap() -> None:
    """During a rolling upgrade a newer decide adds events whose schema the checker does not know."""
    told = events()
    opened = told[last(DealOpened, told)]
    first = named_id(opened.meta.cause, "1")
    read = journal([event for event in told if event.meta.id != first])
    read.unread.add(first)
    assert effects.counted(read, ledger()).broken == []
