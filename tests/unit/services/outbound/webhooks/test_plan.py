"""Who is sent what, from which cursor. Pure."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from crm.contract.codec import encode
from crm.envelope import Event, named_id
from crm.events import (
    DealChanged,
    DealStageMoved,
    NoteAdded,
    StageRuleApplied,
    WebhookAdded,
    WebhookChanged,
    WebhookTested,
)
from crm.scalars import Id, Micros
from services.outbound.delivery import Delivery, Recorded
from services.outbound.webhooks.cursors import Cursor
from services.outbound.webhooks.plan import WINDOW, by_workspace, plan_behind, plan_live, wanted_types
from services.outbound.webhooks.subscription import Subscription, added, changed
from tests.support.intake_server import meta
from tests.support.scenarios import NOON, SHOP

OTHER_SHOP = named_id(SHOP, "other shop")
HOOK = named_id(SHOP, "hook")
ALL = Subscription(HOOK, SHOP, "https://example.com")


def own(number: int, workspace: Id = SHOP, at: int = NOON) -> object:
    stream = named_id(workspace, f"card {number % 3}")
    return replace(meta(named_id(stream, str(number))), workspace=workspace, stream=stream, recorded_at=Micros(at))


def note(number: int, workspace: Id = SHOP, at: int = NOON) -> NoteAdded:
    return NoteAdded(own(number, workspace, at), HOOK, HOOK, str(number))  # type: ignore[arg-type]  # it is Meta


def records(*events: Event, first: int = 0) -> list[Recorded]:
    return [Recorded(1, position, encode(event)) for position, event in enumerate(events, first)]


def none_waits(_: Id) -> int:
    return 0


def live(events: list[Event], *webhooks: Subscription, waiting: int = 0) -> tuple[list[Delivery], dict[Id, Cursor]]:
    cursors = {(one.id, 1): Cursor(True, 0) for one in webhooks}
    found = by_workspace(webhooks)
    planned, moved = plan_live(records(*events), found, wanted_types(webhooks), cursors, lambda _: waiting)
    return planned, {id: cursor for (id, _), cursor in moved.items()}


def test_a_webhook_is_sent_what_it_asks_for_and_nothing_of_others() -> None:
    moved = DealStageMoved(own(1), HOOK, HOOK, "new", "paid")  # type: ignore[arg-type]  # it is Meta
    deal = DealChanged(own(2), HOOK, HOOK, amount_minor=5, fields={"colour": '"red"'})  # type: ignore[arg-type]  # it is Meta
    events: list[Event] = [note(0), moved, deal, note(3, OTHER_SHOP), note(4, at=NOON - 1)]
    wanted = {
        "types": replace(ALL, types=frozenset(["NoteAdded"])),
        "stages": replace(ALL, stages=frozenset(["paid"])),
        "own field": replace(ALL, changed=frozenset(["amount_minor"])),
        "custom field": replace(ALL, changed=frozenset(["colour"])),
        "no field": replace(ALL, changed=frozenset(["title"])),
        "since": replace(ALL, since=Micros(NOON)),
    }
    found = {name: [one.position for one in live(events, webhook)[0]] for name, webhook in wanted.items()}
    assert found == {
        "types": [0, 4],
        "stages": [1],
        "own field": [2],
        "custom field": [2],
        "no field": [],
        "since": [0, 1, 2],
    }


def test_a_stage_rule_reaches_the_webhook_that_it_names_and_those_that_ask_for_its_type() -> None:
    others = {name: replace(ALL, id=named_id(SHOP, name), types=frozenset([name])) for name in ("NoteAdded", "any")}
    others["StageRuleApplied"] = replace(ALL, id=named_id(SHOP, "asks"), types=frozenset(["StageRuleApplied"]))
    named = replace(ALL, types=frozenset(["NoteAdded"]), stages=frozenset(["won"]))
    ruled = StageRuleApplied(own(1), HOOK, HOOK, HOOK, "tell", 1, "paid", webhook_id=HOOK)  # type: ignore[arg-type]  # it is Meta
    planned, _ = live([ruled], named, *others.values())
    assert sorted(one.target for one in planned) == sorted([HOOK, others["StageRuleApplied"].id])
    assert live([ruled], replace(named, since=Micros(NOON + 1)))[0] == []
    elsewhere = replace(ruled, meta=own(1, OTHER_SHOP))  # type: ignore[arg-type]  # it is Meta
    assert live([elsewhere], named)[0] == []


def test_a_test_is_sent_to_its_webhook_alone() -> None:
    other = replace(ALL, id=named_id(SHOP, "other"))
    few = replace(ALL, types=frozenset(["DealOpened"]))
    planned, _ = live([WebhookTested(own(1), HOOK, "Hello")], few, other)  # type: ignore[arg-type]  # it is Meta
    assert [one.target for one in planned] == [HOOK]


def test_each_delivery_names_the_one_before_it() -> None:
    planned, moved = live([note(n) for n in range(4)], ALL)
    assert [(one.position, one.previous) for one in planned] == [(0, None), (1, 0), (2, 1), (3, 2)]
    assert moved == {HOOK: Cursor(True, 0, 3)}
    assert [one.key for one in planned] == [named_id(SHOP, f"card {n % 3}") for n in range(4)]


def test_a_full_window_and_a_switch_leave_the_cursor_where_it_was() -> None:
    planned, moved = live([note(n) for n in range(4)], ALL, waiting=WINDOW - 1)
    assert [one.position for one in planned] == [0]
    assert moved == {HOOK: Cursor(False, 1, 0)}
    planned, moved = live([note(n) for n in range(4)], replace(ALL, enabled=False))
    assert (planned, moved) == ([], {HOOK: Cursor(False, 0)})


def test_ids_are_the_same_whenever_it_is_planned() -> None:
    events: list[Event] = [note(n) for n in range(3)]
    planned, _ = live(events, ALL)
    again, moved = plan_behind(records(*events), 3, [ALL], {HOOK: Cursor(False, 0)})
    assert [one.id for one in planned] == [one.id for one in again] == [named_id(HOOK, e.meta.id) for e in events]
    assert moved == {HOOK: Cursor(False, 3, 2)}


@given(st.lists(st.booleans(), max_size=40), st.integers(0, 40), st.lists(st.integers(1, 7), max_size=30))
def test_pages_of_any_size_give_each_once_with_a_whole_chain(ours: list[bool], start: int, sizes: list[int]) -> None:
    log = records(*(note(n, SHOP if own else OTHER_SHOP) for n, own in enumerate(ours)))
    cursor, found = Cursor(False, min(start, len(log))), list[Delivery]()
    for size in [*sizes, *[5] * len(log)]:
        page = log[cursor.next : cursor.next + size]
        planned, moved = plan_behind(page, cursor.next + len(page), [ALL], {HOOK: cursor})
        found, cursor = found + planned, moved[HOOK]
    wanted = [n for n, own in enumerate(ours) if own and n >= start]
    assert [one.position for one in found] == wanted
    assert [one.previous for one in found] == [None, *wanted][: len(wanted)]
    assert cursor.next == len(log)


def test_a_subscription_is_a_fold_of_its_events() -> None:
    event = WebhookAdded(own(1), HOOK, "x", "https://a.example", Micros(5), ("NoteAdded",), thin=True)  # type: ignore[arg-type]  # it is Meta
    one = added(event)
    assert one == Subscription(HOOK, SHOP, "https://a.example", frozenset(["NoteAdded"]), thin=True, since=Micros(5))
    off = changed(one, WebhookChanged(own(2), HOOK, enabled=False))  # type: ignore[arg-type]  # it is Meta
    assert off == replace(one, enabled=False)
    other = changed(off, WebhookChanged(own(3), HOOK, url="https://b.example", types=(), stages=("paid",)))  # type: ignore[arg-type]  # it is Meta
    assert other == replace(off, url="https://b.example", types=frozenset(), stages=frozenset(["paid"]))
