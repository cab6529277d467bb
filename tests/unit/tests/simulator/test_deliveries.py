"""A simulated vendor repeats, keeps its order, gives up and switches off by its table; its checker finds faults."""

import asyncio
from collections.abc import Callable

from crm.connector import Delivery
from crm.scalars import Id, Micros
from tests.simulator.deliveries import Delivered, Sender
from tests.simulator.retries import RETRIES, Manner, manner_of
from tests.simulator.runs import Run, problems

A, B, C = (Delivery({}, name, Micros(0)) for name in (b"a", b"b", b"c"))


def sent(manner: Manner, answers: Callable[[str, int], bool]) -> tuple[str, Delivered]:
    """Returns the bodies in the order of the attempts. `answers`: of a body and how often it was tried before."""
    order: list[str] = []

    async def attempt(one: Delivery) -> bool:
        name = one.body.decode()
        order.append(name)
        return answers(name, order.count(name) - 1)

    result = asyncio.run(Sender(manner, attempt).deliver([A, B, C]))
    return "".join(order), result


def test_what_fails_comes_again_after_the_vendors_wait() -> None:
    assert sent(Manner((60,)), lambda name, tried: name != "a" or tried == 1) == (
        "abca",
        Delivered(attempts=4, accepted=3, seconds=60),
    )


def test_a_vendor_that_keeps_the_order_lets_nothing_overtake() -> None:
    assert sent(Manner((60,), ordered=True), lambda name, tried: name != "a" or tried == 1)[0] == "aabc"


def test_a_vendor_that_does_not_repeat_gives_up_at_once() -> None:
    assert sent(Manner(), lambda name, _: name != "b") == ("abc", Delivered(3, accepted=2, given_up=1, seconds=2))


def test_after_so_many_failures_the_webhook_is_switched_off() -> None:
    order, result = sent(Manner((60,), off=1), lambda *_: False)
    assert (order, result.given_up, result.not_sent, result.off) == ("abca", 1, 2, True)


def test_what_a_good_answer_says_depends_on_the_vendor() -> None:
    assert manner_of("cf7").accepts(204, b"") and not manner_of("cf7").accepts(302, b"")
    assert manner_of("binotel").accepts(200, b'{"status":"success"}')
    assert not any(manner_of("binotel").accepts(200, body) for body in (b"", b"OK", b'{"status":"error"}', b"[]"))
    assert manner_of("telegram").ordered and len(RETRIES["fondy"].waits) == 6


def run_of(**more: object) -> Run:
    run = Run("telegram", "none", Id("w"))
    run.facts, run.decided = {Id("f"): ("telegram/a.json", 0)}, 1
    for name, value in more.items():
        setattr(run, name, value)
    return run


def test_what_is_not_decided_exactly_once_is_found() -> None:
    assert problems([run_of()]) == []
    assert problems([run_of(decided=0)]) == ["telegram, none: 1 facts were kept and 0 decided"]
    assert problems([run_of(repeated=2)]) == ["telegram, none: 2 events are in the journal twice"]
