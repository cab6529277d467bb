"""As of a moment, on either clock; and why a field has its value."""

from typing import Any

import pytest
from hypothesis import given as for_any
from msgspec.structs import replace

from crm.adapters.postgres import history
from crm.asof import Total, in_order, row_as_of, rows_as_of, totals
from crm.engine.in_memory import MemoryDecide
from crm.envelope import Event, Fact
from crm.events import ContactRenamed, DealAssigned, DealOpened, DealPaid, DealStageMoved, NoteAdded
from crm.moments import Clock, clock, first, last, written
from crm.projection import Projection
from crm.scalars import Id, Micros
from crm.why import Unknown, changes
from projections import PROJECTIONS
from projections.deal import deal
from services.cli.commands.asof import print_totals
from tests.support.command_strategies import any_story
from tests.support.fact_strategies import any_facts
from tests.support.operator_session import OperatorSession
from tests.support.scenarios import NOON, RULES, SHOP, form, meta, paid

OLEH = "+380501112233"
DAY = 86_400_000_000
JANUARY = first("2026-01-01")


def on(day: int) -> Micros:
    """A day of January, at midnight."""
    return Micros(JANUARY + (day - 1) * DAY)


def decide_all(*facts: tuple[Fact, int]) -> list[Event]:
    """The journal of a shop that heard of each fact on that day."""
    decide = MemoryDecide()
    decide.append(*RULES)
    for fact, day in facts:
        decide.take(fact, on(day))
    return decide.journal


def of(projection: Projection[Any], events: list[Event]) -> list[Event]:
    return [event for event in events if isinstance(event, projection.handles)]


def payment(name: str, amount: int, day: int) -> Any:
    fact = paid(name, amount, payment=name, reference="R-1")
    return replace(fact, meta=replace(fact.meta, occurred_at=on(day)))


ORDER = form("desk", on(2), [OLEH], amount_minor=10_000, reference="R-1"), 2
BACK_DATED = decide_all(ORDER, (payment("b", 4_000, 20), 27))  # the bank reported the 20th's payment a week late


def as_of(events: list[Event], day: int, by: Clock) -> Any:
    return row_as_of(deal, of(deal, events), on(day), by)


def test_a_payment_that_was_reported_a_week_late_was_true_before_it_was_known() -> None:
    true, known = (as_of(BACK_DATED, 25, by) for by in (Clock.OCCURRED, Clock.RECORDED))
    assert (true.paid_minor, true.stage) == (4_000, "part_paid")
    assert (known.paid_minor, known.stage) == (0, "new")
    assert as_of(BACK_DATED, 27, Clock.RECORDED) == true


def test_a_late_payment_does_not_bring_along_what_came_meanwhile() -> None:
    """The bug: DealPaid has the sum of all payments: that of the 20th, reported on the 30th, had that of the 28th."""
    events = decide_all(ORDER, (payment("a", 2_500, 28), 28), (payment("b", 4_000, 20), 30))
    assert as_of(events, 25, Clock.OCCURRED).paid_minor == 4_000
    assert as_of(events, 28, Clock.RECORDED).paid_minor == 2_500
    assert as_of(events, 31, Clock.OCCURRED).paid_minor == 6_500


def test_a_late_payment_does_not_bring_along_what_was_held_meanwhile() -> None:
    """The same bug of the held sum, which came from the total that DealPaid tells."""
    held = payment("a", 2_500, 28)
    held = replace(held, status="held")
    events = decide_all(ORDER, (held, 28), (payment("b", 4_000, 20), 30))
    assert (as_of(events, 25, Clock.OCCURRED).held_minor, as_of(events, 25, Clock.OCCURRED).paid_minor) == (0, 4_000)
    assert as_of(events, 29, Clock.OCCURRED).held_minor == 2_500
    old = [
        replace(e, held_change_minor=None) if isinstance(e, DealPaid) else e for e in events
    ]  # before there was such a field
    assert as_of(old, 31, Clock.OCCURRED) == as_of(events, 31, Clock.OCCURRED)


def test_before_it_there_was_nothing() -> None:
    assert as_of(BACK_DATED, 1, Clock.OCCURRED) is None


def test_all_rows_and_their_totals_as_of_a_moment() -> None:
    second = form("chair", on(5), ["+380679998877"], amount_minor=700), 5
    events = of(deal, decide_all(ORDER, second, (payment("b", 10_000, 20), 27)))
    rows = rows_as_of(deal, events, on(25), Clock.RECORDED)
    assert totals(rows.values(), "stage") == [Total("new", 2, {"UAH": 10_700})]
    rows = rows_as_of(deal, events, on(25), Clock.OCCURRED)
    assert totals(rows.values(), "stage") == [Total("new", 1, {"UAH": 700}), Total("paid", 1, {"UAH": 10_000})]


@for_any(any_facts())
def test_at_the_end_every_row_is_as_it_stands(facts: list[Fact]) -> None:
    events = decide_all(*((fact, 2) for fact in facts))
    for projection in PROJECTIONS.values():
        stands: dict[str, Any] = {}
        for event in of(projection, events):
            key = projection.key_of(event)
            stands[key] = projection.fold(stands.get(key) if projection.needs_row else None, event)
        there = {key: row for key, row in stands.items() if row is not None}
        for by in Clock:
            assert rows_as_of(projection, of(projection, events), last("2030-01-01"), by) == there


@for_any(any_story())
def test_a_rows_events_lie_in_streams_that_its_own_ids_name(story: OperatorSession) -> None:
    """What crm.adapters.postgres.history.of_row looks up: without it an as-of would lack events."""
    events = story.decide.journal
    for projection in PROJECTIONS.values():
        rows = rows_as_of(projection, of(projection, events), last("2030-01-01"), Clock.OCCURRED)
        for event in of(projection, events):
            key = projection.key_of(event)
            if key in rows or not history.removable(projection):  # what was taken away is looked for otherwise
                assert event.meta.stream in streams(projection, key, rows.get(key))


def streams(projection: Projection[Any], key: Id, row: Any) -> set[Id]:
    ids = [column.name for column in projection.columns if column.type == "uuid"]
    return {SHOP, key, *(getattr(row, name) for name in ids if row)}


@for_any(any_story())
def test_a_deal_and_a_contact_have_all_events_in_one_stream(story: OperatorSession) -> None:
    """What api.history.past_rows relies on when it folds stream after stream."""
    for name in ("deal", "contact"):
        own: dict[Id, set[Id]] = {}
        for event in of(PROJECTIONS[name], story.decide.journal):
            own.setdefault(PROJECTIONS[name].key_of(event), set()).add(event.meta.stream)
        assert all(len(found) == 1 for found in own.values())


def test_why_a_field_has_its_value() -> None:
    found = changes(deal, of(deal, BACK_DATED), "stage")
    assert [(c.before, c.after, type(c.event)) for c in found] == [
        (None, "new", DealOpened),
        ("new", "part_paid", DealStageMoved),
    ]
    assert found[-1].reasons == {"why": "40.00 UAH came: 40.00 UAH of 100.00 UAH is paid"}
    (first_owner, owner) = changes(deal, of(deal, BACK_DATED), "owner")
    assert (first_owner.after, type(owner.event)) == ("", DealAssigned)
    assert owner.reasons["rules_version"] == 1
    assert [type(c.event) for c in changes(deal, of(deal, BACK_DATED), "paid_minor")] == [DealOpened, DealPaid]


def test_what_changed_nothing_is_no_reason() -> None:
    events = of(deal, BACK_DATED)
    assert len(changes(deal, events, "title")) == 1
    assert changes(deal, [], "title") == []


@for_any(any_story())
def test_why_finds_the_event_that_set_the_value_of_every_field_of_every_row(story: OperatorSession) -> None:
    """Also of projections that nobody wrote a line of this for, and whatever people did."""
    for projection in PROJECTIONS.values():
        assert wrong(projection, of(projection, story.decide.journal)) == []


def wrong(projection: Projection[Any], events: list[Event]) -> list[tuple[str, str]]:
    """Keys and fields of which `why`, out of the streams that the row names, tells another event than the last that
    gave the field another value while the whole journal was folded."""
    rows: dict[Id, Any] = {}
    setters: dict[tuple[Id, str], Event] = {}
    for event in events:
        key = projection.key_of(event)
        was, rows[key] = rows.get(key), projection.fold(rows.get(key) if projection.needs_row else None, event)
        for column in projection.columns:
            before, after = (getattr(row, column.name, None) for row in (was, rows[key]))
            if before != after or was is None:
                setters[key, column.name] = event
    found = []
    for key, row in ((key, row) for key, row in rows.items() if row):
        named = streams(projection, key, row)
        own = in_order([e for e in events if projection.key_of(e) == key and e.meta.stream in named])
        for column in projection.columns:
            changed = changes(projection, own, column.name)
            if not changed or (changed[-1].event, changed[-1].after) != (
                setters[key, column.name],
                getattr(row, column.name),
            ):
                found.append((key, column.name))
    return found


def test_the_law_of_why_would_see_a_note_that_hides_in_a_strangers_stream() -> None:
    """The planted bug: an event that lies in a stream which the row does not name."""
    story = OperatorSession(*RULES).do("contact_create", name="Ivan")
    story.do("note_add", contact_id=story.contact().contact_id, text="x")
    (note,) = (event.note_id for event in story.decide.journal if isinstance(event, NoteAdded))
    story.do("note_change", note_id=note, text="y")
    events = of(PROJECTIONS["note"], story.decide.journal)
    assert wrong(PROJECTIONS["note"], events) == []
    stray = replace(events[1], meta=replace(events[1].meta, stream=Id("44444444-4444-5444-8444-444444444444")))
    assert (note, "text") in wrong(PROJECTIONS["note"], [events[0], stray])


def test_a_field_that_is_not_there_is_named_with_those_that_are() -> None:
    with pytest.raises(Unknown, match=r"deal has no field 'stag'; it has deal_id, contact_id, number, .*stage"):
        changes(deal, [], "stag")


def test_events_of_several_streams_are_in_the_order_of_their_records_each_stream_in_its_own() -> None:
    """Stream b's second event was written by a machine whose clock is behind."""

    def event(stream: str, name: str, at: int) -> Event:
        return ContactRenamed(replace(meta(name, stream=Id(stream)), recorded_at=Micros(at)), Id(stream), name)

    a1, a2, b1, b2 = event("a", "a1", 10), event("a", "a2", 30), event("b", "b1", 20), event("b", "b2", 15)
    assert in_order([a1, a2, b1, b2]) == [a1, b1, b2, a2]
    assert in_order([b1, b2]) == [b1, b2]


def test_moments_are_read_as_people_mean_them() -> None:
    assert written(first("2026-01-31")) == "2026-01-31T00:00:00Z"
    assert written(last("2026-01-31")) == "2026-01-31T23:59:59.999999Z"
    assert first("2026-01-31T18:30") == last("2026-01-31T20:30+02:00") == first("2026-01-31T18:30:00Z")
    assert first("now", NOON) == last("now", NOON) == NOON
    assert first("2h", NOON) == last("120 m", NOON) == NOON - 7_200_000_000
    assert 0 < first("1s") < last("now")
    assert written(Micros(2**63 - 1)) == "9999-12-31T23:59:59.999999Z"
    for wrong_one in ("yesterday", "31.01.2026", "2026-02-30", "", "999999999d"):
        with pytest.raises(ValueError, match=r"is no moment\. Write a day"):
            first(wrong_one, NOON)
    with pytest.raises(ValueError, match=r"There is no clock .now.: it is `occurred` \(what was true\)"):
        clock("now")
    assert clock("RECORDED") is Clock.RECORDED


def test_totals_are_printed_in_each_currency_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    row = decide_all(ORDER)[-2:]
    (dear,) = rows_as_of(deal, of(deal, row), on(25), Clock.OCCURRED).values()
    rows = [dear, replace(dear, currency="JPY", amount_minor=700), replace(dear, currency="KWD", amount_minor=5)]
    print_totals(rows, "source", json=False)
    assert "100.00 UAH, 700 JPY, 0.005 KWD" in capsys.readouterr().out
