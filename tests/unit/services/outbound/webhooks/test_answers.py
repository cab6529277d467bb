"""What a receiver's answer means."""

import pytest

from crm.adapters.safe_http import Answer
from crm.scalars import Micros
from services.outbound.backoff import DELAYS
from services.outbound.delivery import SECOND, Outcome, State
from services.outbound.webhooks.answers import not_reached, outcome
from tests.unit.services.outbound.test_queues import NOW, delivery


def answered(status: int, headers: dict[str, str] | None = None, attempts: int = 0, body: bytes = b"") -> Outcome:
    one = delivery(1)
    one.attempts = attempts
    return outcome(one, Answer(status, headers or {}, body, "https://example.com"), NOW, 12.5)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_2xx_is_delivered(status: int) -> None:
    assert answered(status, body=b"ok\xff" * 2) == Outcome(
        State.DELIVERED, status=status, response="ok\ufffdok\ufffd", took_ms=12.5
    )


@pytest.mark.parametrize("status", [301, 308, 400, 401, 404, 408, 500, 503])
def test_all_else_is_tried_again(status: int) -> None:
    found = answered(status)
    assert (found.state, found.status, found.pause_until) == (State.WAITING, status, 0)
    assert 5 * SECOND <= found.due_at - NOW <= 5.5 * SECOND
    assert (found.error == "Redirects are not followed.") == (status < 400)


def test_after_the_last_step_it_is_given_up() -> None:
    assert answered(500, attempts=len(DELAYS) - 1).state is State.WAITING
    assert answered(500, attempts=len(DELAYS)).state is State.DEAD
    one = delivery(1)
    one.attempts = len(DELAYS)
    assert not_reached(one, "It took more than 15 s.", NOW, 1.0).state is State.DEAD


def test_retry_after_holds_for_the_whole_receiver() -> None:
    found = answered(429, {"retry-after": "90"})
    assert found.pause_until == NOW + 90 * SECOND
    assert found.due_at - NOW >= 90 * SECOND
    assert answered(500, {"retry-after": "90"}).pause_until == 0


def test_410_keeps_the_delivery() -> None:
    found = answered(410)
    assert (found.state, found.pause_until > NOW) == (State.WAITING, True)
    assert isinstance(found.due_at, int)
    assert found.due_at == Micros(NOW + 3_600 * SECOND)
