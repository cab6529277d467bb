"""Order by key, fairness by target, and what a target that is down does to others: nothing."""

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from crm.envelope import named_id
from crm.scalars import Micros
from services.outbound.delivery import SECOND, Delivery, Outcome, State
from services.outbound.queues import AT_ONCE, DOWN, FIRST, IN_TIME, Queues
from tests.support.scenarios import SHOP

DONE = Outcome(State.DELIVERED)
NOW = Micros(1_000 * SECOND)


def delivery(number: int, target: str = "a", key: str = "k", partition: int = 0) -> Delivery:
    ids = [named_id(SHOP, name) for name in (f"{target}/{number}/{partition}", target, key)]
    return Delivery(ids[0], "test", SHOP, ids[1], ids[2], ids[2], partition, number, "DealOpened")


def taken(queues: Queues, now: Micros = NOW) -> list[Delivery]:
    found = []
    while one := queues.take(now):
        found.append(one)
    return found


def later(seconds: float) -> Outcome:
    return Outcome(State.WAITING, Micros(NOW + round(seconds * SECOND)))


def fail(queues: Queues, one: Delivery, seconds: float = 5, now: Micros = NOW) -> None:
    outcome = Outcome(State.WAITING, Micros(now + round(seconds * SECOND)))
    one.due_at = outcome.due_at
    queues.finish(one, outcome, now)


def test_one_key_is_sent_in_order_one_after_the_other() -> None:
    queues = Queues()
    first, second, other = delivery(1), delivery(2), delivery(3, key="l")
    queues.add([second, first, other, first], NOW)
    assert taken(queues) == [first, other]
    queues.finish(first, DONE, NOW)
    assert taken(queues) == [second]
    assert queues.waiting(first.target) == 2


def test_a_stuck_key_holds_no_other() -> None:
    queues = Queues()
    stuck, behind, other = delivery(1), delivery(2), delivery(3, key="l")
    queues.add([stuck, behind, other], NOW)
    assert taken(queues) == [stuck, other]
    fail(queues, stuck)
    queues.finish(other, DONE, NOW)
    assert taken(queues) == []
    assert queues.next_due() == NOW + 5 * SECOND
    assert taken(queues, Micros(NOW + 5 * SECOND)) == [stuck]


def test_a_slow_target_takes_no_more_than_its_share() -> None:
    queues = Queues()
    queues.add([delivery(n, "slow", f"s{n}") for n in range(500)], NOW)
    queues.add([delivery(n, "fast", f"f{n}") for n in range(3)], NOW)
    first = taken(queues)
    assert [one.target for one in first].count(named_id(SHOP, "slow")) == FIRST
    assert {one.position for one in first if one.target == named_id(SHOP, "fast")} == {0, 1, 2}
    assert [one.target for one in first[:4]] == [named_id(SHOP, t) for t in ("slow", "fast", "slow", "fast")]


def test_one_that_answers_in_time_is_sent_more_at_once_and_a_slow_one_less() -> None:
    """Slow receivers took all places of the process, and fast ones waited for them."""
    queues = Queues()
    queues.add([delivery(n, key=f"k{n}") for n in range(200)], NOW)
    flying = taken(queues)
    assert len(flying) == FIRST
    for _ in range(AT_ONCE):
        queues.finish(flying.pop(0), Outcome(State.DELIVERED, took_ms=IN_TIME - 1), NOW)
        flying += taken(queues)
    assert len(flying) == AT_ONCE
    queues.finish(flying.pop(0), Outcome(State.DELIVERED, took_ms=IN_TIME), NOW)
    while len(flying) >= FIRST:
        assert taken(queues) == []
        queues.finish(flying.pop(0), Outcome(State.DELIVERED, took_ms=IN_TIME), NOW)
    assert len(taken(queues)) == 1


def test_a_target_that_is_down_is_tried_by_one_and_all_is_due_when_it_is_back() -> None:
    queues = Queues()
    queues.add([delivery(n, key=f"k{n}") for n in range(10)], NOW)
    queues.targets[delivery(0).target].limit = AT_ONCE  # it has answered in time until now
    begun = taken(queues)
    for one in begun[:DOWN]:
        fail(queues, one, 7_200)
    assert queues.targets[begun[0].target].down
    for one in begun[DOWN:]:
        fail(queues, one, 7_200)
    assert taken(queues, Micros(NOW + 600 * SECOND)) == []
    assert queues.targets[begun[0].target].failures == DOWN, "those in flight count as one"
    queues.add([delivery(20, key="new")], Micros(NOW + 700 * SECOND))
    (probe,) = taken(queues, Micros(NOW + 700 * SECOND))
    assert probe.position == 20
    queues.finish(probe, DONE, Micros(NOW + 700 * SECOND))
    back, flying = [], taken(queues, Micros(NOW + 700 * SECOND))
    while flying:
        back.append(flying[0].position)
        queues.finish(flying.pop(0), DONE, Micros(NOW + 700 * SECOND))
        flying += taken(queues, Micros(NOW + 700 * SECOND))
    assert sorted(back) == list(range(10))


def test_a_pause_holds_the_target_alone() -> None:
    queues = Queues()
    queues.add([delivery(1), delivery(2, "b")], NOW)
    one, other = taken(queues)
    queues.finish(one, Outcome(State.DELIVERED, pause_until=Micros(NOW + 60 * SECOND)), NOW)
    queues.finish(other, DONE, NOW)
    queues.add([delivery(3), delivery(4, "b")], NOW)
    assert [one.position for one in taken(queues)] == [4]
    assert [one.position for one in taken(queues, Micros(NOW + 60 * SECOND))] == [3]


def test_a_held_target_goes_on_where_it_stopped() -> None:
    queues = Queues()
    queues.hold(delivery(1).target, True, NOW)
    queues.add([delivery(1), delivery(2)], NOW)
    assert taken(queues) == []
    queues.hold(delivery(1).target, False, NOW)
    assert [one.position for one in taken(queues)] == [1]


def test_what_another_replica_sends_is_forgotten() -> None:
    queues = Queues()
    queues.add([delivery(1), delivery(2, partition=1, key="l"), delivery(3)], NOW)
    begun = taken(queues)
    assert len(begun) == 2
    queues.drop({0})
    queues.finish(begun[0], DONE, NOW)
    queues.finish(begun[1], DONE, NOW)
    assert taken(queues) == []
    assert not queues.known
    assert queues.waiting(begun[0].target) == 0


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from("xyz")), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 4), st.booleans()), max_size=80),
)
def test_whatever_fails_nothing_is_lost_and_each_key_keeps_its_order(
    plan: list[tuple[str, str]], steps: list[tuple[int, bool]]
) -> None:
    queues, now, sent = Queues(), NOW, defaultdict(list)
    todo = [delivery(n, target, key) for n, (target, key) in enumerate(plan)]
    queues.add(todo, now)
    flying: list[Delivery] = []
    for place, works in [*steps, *((0, True),) * 400]:
        now = Micros(now + 30 * SECOND)
        flying += taken(queues, now)
        keys = [(one.target, one.key) for one in flying]
        assert len(keys) == len(set(keys))
        if not flying:
            continue
        one = flying.pop(place % len(flying))
        if works:
            sent[one.target, one.key].append(one.position)
            queues.finish(one, DONE, now)
        else:
            fail(queues, one, 5, now)
    assert sorted(n for some in sent.values() for n in some) == list(range(len(plan)))
    assert all(some == sorted(some) for some in sent.values())
