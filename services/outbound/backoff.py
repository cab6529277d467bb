"""When an attempt is repeated: 75 hours in nine steps, with jitter, never before the receiver's Retry-After."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import random

from crm.scalars import Micros
from services.outbound.delivery import SECOND

# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md, Retry schedule
MINUTE, HOUR = 60, 3_600
DELAYS = (5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)  # seconds
JITTER = 0.1  # a delay is up to a tenth longer
LONGEST_RETRY_AFTER = 24 * HOUR


def next_attempt(attempts: int, now: Micros, retry_after: float | None = None, jitter: float | None = None) -> Micros:
    """Returns when to try again after so many attempts; 0: never. `jitter`: 0 to 1, by chance."""
    if attempts > len(DELAYS):
        return Micros(0)
    delay = max(1, attempts)
    by_chance = random() if jitter is None else jitter
    seconds = max(DELAYS[delay - 1] * (1 + JITTER * by_chance), retry_after or 0)
    return Micros(now + round(seconds * SECOND))


def retry_after(header: str, now: Micros) -> float | None:
    """Returns the seconds of a Retry-After, which is a number or a date; None when there is none. RFC 9110, 10.2.3."""
    text = header.strip()
    if text.isdecimal() and len(text) < 10:
        return min(float(text), LONGEST_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(text)
    except ValueError:
        return None
    date = date if date.tzinfo else date.replace(tzinfo=UTC)
    left = (date - datetime.fromtimestamp(now / SECOND, UTC)).total_seconds()
    return min(max(0.0, left), LONGEST_RETRY_AFTER)
