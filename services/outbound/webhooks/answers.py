"""What a receiver's answer means. https://github.com/standard-webhooks/standard-webhooks, Status codes."""

from crm.adapters.safe_http import Answer
from crm.scalars import Micros
from services.outbound.backoff import next_attempt, retry_after
from services.outbound.delivery import SECOND, Delivery, Outcome, State

EXCERPT = 2_000  # bytes of an answer that are kept
BUSY = frozenset((429, 502, 503, 504))  # their Retry-After holds for the whole receiver
GONE_SECONDS = 3_600


def outcome(delivery: Delivery, answer: Answer, now: Micros, took_ms: float) -> Outcome:
    """Returns what becomes of a delivery that was answered."""
    response, status = excerpt(answer.body), answer.status
    if 200 <= status < 300:
        return Outcome(State.DELIVERED, status=status, response=response, took_ms=took_ms)
    wait = retry_after(answer.headers.get("retry-after", ""), now)
    until = Micros(now + round(wait * SECOND)) if wait and status in BUSY else Micros(0)
    if status == 410:  # it is kept, should the webhook be switched on again
        return Outcome(
            State.WAITING,
            Micros(now + GONE_SECONDS * SECOND),
            status,
            "The receiver is gone.",
            response,
            took_ms,
            pause_until=Micros(now + GONE_SECONDS * SECOND),
        )
    why = "Redirects are not followed." if 300 <= status < 400 else ""
    return failed(delivery, now, why, wait, status=status, response=response, took_ms=took_ms, pause_until=until)


def not_reached(delivery: Delivery, why: str, now: Micros, took_ms: float) -> Outcome:
    """Returns what becomes of a delivery without an answer."""
    return failed(delivery, now, why, None, took_ms=took_ms)


def failed(delivery: Delivery, now: Micros, why: str, wait: float | None, **said: object) -> Outcome:
    due = next_attempt(delivery.attempts + 1, now, wait)
    return Outcome(State.WAITING if due else State.DEAD, due, error=why, **said)  # type: ignore[arg-type]  # as given


def excerpt(body: bytes) -> str:
    return body[:EXCERPT].decode("utf-8", "replace")
