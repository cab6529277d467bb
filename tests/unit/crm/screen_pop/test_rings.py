"""A screen shows a call once for each employee that is rung, and ends what it shows, also after it was cut off."""

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.envelope import named_id
from crm.events import CallUpdated
from crm.scalars import Id, Micros
from crm.screen_pop.caller import CallRead, ContactRead, Found
from crm.screen_pop.employees import Employee
from crm.screen_pop.rings import CURSOR_BYTES, LONGEST_RING, MOST, MOST_LEGS, Facts, Message, Screen, with_report
from crm.shared import Meta, Phone

SHOP = Id("11111111-1111-4111-8111-111111111111")
OLENA = named_id(SHOP, "Olena")
NOW = 1_767_268_800_000_000
PEOPLE = (Employee("taras", extension="101"), Employee("iryna", extension="102"))
FOUND = Found(PEOPLE, contacts=(ContactRead(OLENA, "Olena"),))
PHONE = Phone("067 123 45 67", "+380671234567")


def report(phase: str, employee: str = "", call: str = "call", at: int = 0, **more: Any) -> CallUpdated:
    id = named_id(SHOP, call)
    meta = Meta(named_id(id, f"{phase} {employee} {at}"), SHOP, OLENA, Micros(NOW + at), Micros(NOW + at), "s", id)
    said: dict[str, Any] = {"direction": "in", "phone": PHONE, "known": True} | more
    return CallUpdated(meta, id, OLENA, phase, employee=employee, call=call, **said)


def take(screen: Screen, event: CallUpdated, found: Found = FOUND, now: int = NOW) -> list[Message]:
    return screen.take(event, with_report(Facts(), event), found, now)


def brief(messages: list[Message]) -> list[tuple[str, str]]:
    return [
        (kind, said["why"] if kind == "end" else (said["employee"].said if said["employee"] else ""))
        for kind, said in messages
    ]


def run(screen: Screen, *events: CallUpdated) -> list[tuple[str, str]]:
    return [one for event in events for one in brief(take(screen, event))]


RING, RING_101, RING_102 = report("ringing"), report("ringing", "101", leg="a"), report("ringing", "102", leg="b")


@pytest.mark.parametrize(
    ("employees", "events", "shown"),
    [
        ((), [RING, RING, report("completed")], [("ring", ""), ("end", "ended")]),
        ((), [RING, RING_101, RING_102], [("ring", ""), ("ring", "101"), ("ring", "102")]),
        (("taras",), [RING, RING_101, RING_102], [("ring", ""), ("ring", "101")]),
        (("iryna",), [RING, RING_101, RING_102], [("ring", ""), ("end", "rings_another"), ("ring", "102")]),
        (("taras",), [RING_101, report("answered", "taras")], [("ring", "101"), ("end", "answered")]),
        (("taras",), [RING_101, report("answered", "102")], [("ring", "101"), ("end", "answered_by_another")]),
        (("taras",), [RING_101, report("answered", leg="b")], [("ring", "101"), ("end", "answered")]),  # by whom?
        (("taras",), [RING_101, RING_102, report("answered", leg="a", direction="")],
         [("ring", "101"), ("end", "answered")]),
        ((), [RING_101, RING_102, report("completed", leg="b"), report("completed", leg="a")],
         [("ring", "101"), ("ring", "102"), ("end", "rings_no_more")]),
        ((), [RING_101, report("completed", leg="x", direction="out")], [("ring", "101")]),
        ((), [RING_101, report("hung_up", leg="x")], [("ring", "101"), ("end", "ended")]),
        ((), [report("completed"), RING], []),  # its reports came in another order
        ((), [report("answered", "101", at=2), report("ringing", at=1)], []),
        ((), [report("answered", "101", at=1), report("ringing", "102", at=2)], [("ring", "102")]),  # transferred
        ((), [report("answered", at=1), report("ringing", "102", at=1)], [("ring", "102")]),  # a machine answered
        ((), [report("ringing", direction="out")], []),
        ((), [report("ringing", direction="", phone=None)], []),
        ((), [report("ringing", direction="")], [("ring", "")]),
        ((), [report("ringing", phone=Phone("101", ""))], []),
        ((), [report("ringing", phone=None)], [("ring", "")]),  # withheld
        ((), [report("ringing", at=-LONGEST_RING - 1)], []),
    ],
)  # fmt: skip
def test_what_is_shown(employees: tuple[str, ...], events: list[CallUpdated], shown: list[tuple[str, str]]) -> None:
    assert run(Screen(employees), *events) == shown


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (CallRead(phase="ringing", touched_at=NOW), True),
        (CallRead(phase="completed", touched_at=NOW + 1), False),
        (CallRead(phase="completed", touched_at=NOW + 1, legs=2), True),  # one of them ended
        (CallRead(phase="answered", employee="101", touched_at=NOW + 1), False),
        (CallRead(phase="answered", touched_at=NOW + 1), True),  # a machine answered
        (CallRead(phase="answered", employee="101", touched_at=NOW), True),  # transferred: this ring touched it
    ],
)
def test_what_was_over_by_then_is_not_shown(row: CallRead, shown: bool) -> None:
    assert bool(take(Screen(), RING, replace(FOUND, call=row))) is shown


def test_a_call_of_which_nothing_is_heard_ends() -> None:
    screen = Screen()
    run(screen, RING)
    assert screen.forget_silent(NOW + LONGEST_RING) == []
    assert brief(screen.forget_silent(NOW + LONGEST_RING + 1)) == [("end", "silent")]
    assert screen.forget_silent(NOW + LONGEST_RING + 1) == []


def test_a_cursor_keeps_a_bounded_number_of_calls() -> None:
    screen = Screen()
    for n in range(MOST):
        run(screen, report("ringing", call=f"{n}"))
    messages = take(screen, report("ringing", call="one more"))
    assert [(kind, said["call_id"]) for kind, said in messages] == [
        ("ring", named_id(SHOP, "one more")),
        ("end", named_id(SHOP, "0")),
    ]
    assert len(screen.calls) == MOST


def test_a_cursor_stays_small_whatever_telephone_systems_say() -> None:
    screen, text = Screen(), "ї" * 10_000
    for n in range(MOST):
        for leg in range(MOST_LEGS + 5):
            run(screen, report("ringing", f"{leg}{text}", call=f"{n}", leg=f"{leg}{text}"))
    assert sum(shown.weight for shown in screen.calls.values()) <= 2 * CURSOR_BYTES
    ended = run(
        screen, report("completed", call=f"{MOST - 1}", leg=f"7{text}"), report("completed", call=f"{MOST - 1}")
    )
    assert ended == [("end", "ended")]


def test_the_number_of_another_report_of_the_call_is_shown() -> None:
    first, leg = report("ringing"), report("ringing", "101", leg="a", phone=None, direction="", known=False)
    screen = Screen(("101",))
    ((_, said),) = screen.take(leg, with_report(with_report(Facts(), first), leg), FOUND, NOW)
    assert (said["phone"], said["phone_text"], said["match"]) == (PHONE.e164, PHONE.text, "certain")


EMPLOYEES = st.sampled_from(("", "101", "102", "taras"))
CALLS = st.lists(
    st.tuples(
        st.lists(EMPLOYEES, min_size=1, max_size=4),
        st.sampled_from((None, "", "101", "102")),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)


@st.composite
def histories(draw: st.DrawFn) -> list[CallUpdated]:
    """Reports of several calls, each in the order in which it happened, mixed with the others'."""
    queues = []
    for n, (rings, answer, ends) in enumerate(draw(CALLS)):
        one = [report("ringing", who, f"{n}", at, leg=who) for at, who in enumerate(rings)]
        one += [] if answer is None else [report("answered", answer, f"{n}", len(rings))]
        queues.append(one + ([report("completed", "", f"{n}", len(rings) + 1)] if ends else []))
    mixed = []
    while queues := [queue for queue in queues if queue]:
        mixed.append(draw(st.sampled_from(queues)).pop(0))
    return mixed


@given(histories(), st.sampled_from(((), ("taras",), ("102",), ("101", "102"))), st.data())
def test_a_screen_that_was_cut_off_goes_on_where_it_stopped(
    history: list[CallUpdated], employees: tuple[str, ...], data: st.DataObject
) -> None:
    """What it shows after a cut at any place, with nothing but its cursor, is what it would have shown."""
    whole = Screen(employees)
    expected = [message for event in history for message in take(whole, event)]
    cut = data.draw(st.integers(0, len(history)))
    first = Screen(employees)
    found = [message for event in history[:cut] for message in take(first, event)]
    second = Screen(employees, dict(first.calls))
    found += [message for event in history[cut:] for message in take(second, event)]
    assert found == expected
    assert second.calls == whole.calls


@given(histories(), st.sampled_from(((), ("taras",), ("102",))))
def test_what_is_shown_ends_once_and_nothing_else_ends(history: list[CallUpdated], employees: tuple[str, ...]) -> None:
    screen, shown = Screen(employees), Counter[Id]()
    for event in history:
        for kind, said in take(screen, event):
            if kind == "ring":
                shown[said["call_id"]] = 1
            else:
                shown[said["call_id"]] -= 1
                assert shown[said["call_id"]] == 0
    assert {id for id, open in shown.items() if open} == set(screen.calls)
    over = {event.call_id for event in history if event.phase == "completed"}
    assert not over & set(screen.calls)
