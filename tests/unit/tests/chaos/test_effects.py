"""The first invariant catches what it must: a lost fact, a doubled one, half of one, one that nobody sent."""

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
from tests.chaos.invariants import effects
from tests.support.reference_run import ROOT, TENANTS, events, journal, last, ledger
from tests.support.workload.ledger import FactKind


def test_a_true_journal_holds() -> None:
    found = effects.count_effects(journal(events()), ledger())
    facts = len(ledger().facts)
    assert facts > 500
    assert found == effects.EffectCounts(facts, 0, 0, [])


def test_a_lost_fact_is_caught() -> None:
    log = events()
    cause = log[last(CallUpdated, log)].meta.cause
    found = effects.count_effects(journal([event for event in log if event.meta.cause != cause]), ledger())
    assert (found.lost, found.duplicated) == (1, 0)
    assert found.broken == [f"1 acknowledged facts have no effect in the journal: CallReported {cause}."]


def test_a_doubled_event_is_caught() -> None:
    log = events()
    double = log[last(CallUpdated, log)]
    found = effects.count_effects(journal([*log, double]), ledger())
    assert (found.lost, found.duplicated) == (0, 1)
    assert found.broken == [
        f"1 acknowledged facts have more than one effect: CallReported {double.meta.cause} has 2.",
        f"1 facts have events that are in the journal twice: 1 of {double.meta.cause}.",
    ]


def test_a_fact_that_was_decided_again_with_another_outcome_is_caught() -> None:
    """A payment's report that came twice was recorded, and then found outdated: two effects of one fact."""
    log = events()
    recorded = log[last(PaymentRecorded, log)]
    assert isinstance(recorded, PaymentRecorded)
    again = replace(recorded.meta, id=named_id(recorded.meta.cause, "99"))
    outdated = PaymentReportOutdated(again, recorded.payment_id, "settled", "it says what is known already")
    found = effects.count_effects(journal([*log, outdated]), ledger())
    assert (found.lost, found.duplicated) == (0, 1)
    assert found.broken[0] == (
        f"1 acknowledged facts have more than one effect: PaymentReported {recorded.meta.cause} has 2."
    )


def test_a_good_fact_in_quarantine_is_caught() -> None:
    """A decide role that met an empty database set everything aside, for there was no workspace: nothing was lost, and
    nothing was right."""
    log = events()
    place = next(n for n, event in enumerate(log) if isinstance(event, PaymentRecorded | PaymentReportOutdated))
    meta = log[place].meta
    rest = [event for event in log if event.meta.cause != meta.cause]
    aside = FactQuarantined(
        replace(meta, id=named_id(meta.cause, "1")), meta.cause, "facts", "no workspace", "application/json", 1, "", ""
    )
    found = effects.count_effects(journal([*rest, aside]), ledger())
    assert (found.lost, found.duplicated) == (0, 0)
    assert found.broken == [f"1 good facts were put into quarantine: PaymentReported {meta.cause}."]


def test_half_of_a_fact_is_caught() -> None:
    """Its first event is there, the second is not: a transaction came through in part."""
    log = events()
    opened = log[last(DealOpened, log)]
    assert opened.meta.id != named_id(opened.meta.cause, "1")
    rest = [event for event in log if event.meta.id != named_id(opened.meta.cause, "1")]
    left = sum(event.meta.cause == opened.meta.cause for event in rest)
    found = effects.count_effects(journal(rest), ledger())
    assert found.broken == [
        f"1 facts have only a part of their events in the journal: {left} events of {opened.meta.cause}."
    ]


def test_events_out_of_their_order_are_caught() -> None:
    log = events()
    place = last(MessageReceived, log)
    n = next(
        n
        for n in range(place, 0, -1)
        if log[n].meta.cause == log[n - 1].meta.cause and log[n].meta.stream == log[n - 1].meta.stream
    )
    log[n - 1], log[n] = log[n], log[n - 1]
    found = effects.count_effects(journal(log), ledger())
    assert found.broken == [f"1 facts have events out of their order in a partition: those of {log[n].meta.cause}."]


def test_a_cause_that_nobody_sent_is_caught() -> None:
    log = events()
    cause = named_id(ROOT, "of a stranger")
    stray = log[last(CallUpdated, log)]
    stray = replace(stray, meta=replace(stray.meta, id=named_id(cause, "1"), cause=cause))
    found = effects.count_effects(journal([*log, stray]), ledger())
    assert found.broken == [f"1 causes in the journal were never acknowledged to anybody: {cause}."]


def test_a_fact_in_another_workspace_is_caught() -> None:
    book = ledger()
    id, kind = next(iter(book.facts.items()))
    (other,) = {tenant.workspace for tenant in TENANTS} - {kind.workspace}
    book.facts[id] = FactKind(kind.fact, other)
    found = effects.count_effects(journal(events()), book)
    assert found.broken == [f"1 facts have events in another workspace than their own: {kind.fact} {id}."]


def test_an_event_of_a_newer_version_is_no_gap() -> None:
    """During a rolling upgrade a newer decide adds events whose schema the checker does not know."""
    log = events()
    opened = log[last(DealOpened, log)]
    first = named_id(opened.meta.cause, "1")
    read = journal([event for event in log if event.meta.id != first])
    read.unread.add(first)
    assert effects.count_effects(read, ledger()).broken == []
