"""When an attempt is repeated."""

from crm.scalars import Micros
from services.outbound.backoff import DELAYS, next_attempt, retry_after
from services.outbound.delivery import SECOND

NOON = Micros(1_790_000_000 * SECOND)


def test_nine_steps_last_75_hours() -> None:
    assert [(next_attempt(n, NOON, jitter=0) - NOON) / SECOND for n in range(1, 10)] == list(DELAYS)
    assert 75 <= sum(DELAYS) / 3600 < 76
    assert next_attempt(10, NOON) == 0


def test_jitter_makes_it_later_and_never_earlier() -> None:
    assert next_attempt(1, NOON, jitter=1) - NOON == 5.5 * SECOND
    assert all(5 * SECOND <= next_attempt(1, NOON) - NOON <= 5.5 * SECOND for _ in range(50))


def test_retry_after_is_obeyed() -> None:
    assert next_attempt(1, NOON, retry_after=60, jitter=0) - NOON == 60 * SECOND
    assert retry_after("120", NOON) == 120
    assert retry_after("99999999", NOON) == 86_400
    assert retry_after("Mon, 21 Sep 2026 14:14:20 GMT", NOON) == 60.0
    assert retry_after("Mon, 21 Sep 2026 14:00:00 GMT", NOON) == 0.0
    assert retry_after("", NOON) is None
    assert retry_after("soon", NOON) is None
    assert retry_after("-5", NOON) is None
