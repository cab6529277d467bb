"""What can be told but not looked up: a fact that names somebody by more than any index holds."""

from collections.abc import Callable, Iterator
from typing import Any

from crm.decisions.chat import account_of
from crm.decisions.contacts import Way
from crm.decisions.form import ways_of as ways_of_form
from crm.decisions.matching import ways_of as ways_of_payer
from crm.envelope import Fact
from crm.facts import CallReported, FormSubmitted, MessageReported, PaymentReported

LONGEST = 500  # characters of a way to know somebody; Postgres indexes at most 2,700 bytes of one


def ways_of_message(report: MessageReported) -> Iterator[Way]:
    yield account_of(report)
    if report.shared_phone:
        yield Way("phone", report.shared_phone.e164)


WAYS: dict[type[Fact], Callable[[Any], Iterator[Way] | list[Way]]] = {
    FormSubmitted: ways_of_form,
    PaymentReported: lambda report: ways_of_payer(report.payer),
    CallReported: lambda report: [Way("phone", report.phone.e164)],
    MessageReported: ways_of_message,
}


def unfit(fact: Fact) -> str:
    """Why the fact cannot be decided on; empty when it can."""
    ways = WAYS.get(type(fact))
    for way in ways(fact) if ways else ():
        if len(way.kind) + len(way.value) > LONGEST:
            kind, length = way.kind[:40], len(way.kind) + len(way.value)
            return (
                f"It names somebody by {kind!r} of {length} characters; {LONGEST} are the most that can be looked up. "
                "The delivery is kept. Send it with a shorter one."
            )
    return ""
