"""Reports of calls, in the form that all exchanges share: what their clock says, and keys of what has no id."""

from functools import partial
from typing import Any, NamedTuple

from crm.connector import Delivery, Report
from crm.facts import CallReported
from crm.scalars import Micros
from services.connectors.call_sides import happened_at
from services.connectors.formats.exact_json import Value
from services.connectors.formats.values import seconds_or_none, unreadable
from services.connectors.repeats import WINDOW


def call_report(call: str, key: str, at: Micros, /, **said: Any) -> Report:
    """Returns the report of a phase or a leg. `key`: what tells it from others. `said`: fields of CallReported."""
    return Report(key, call, at, partial(CallReported, call=call, **said))


def unnamed_call(content: str, delivery: Delivery) -> str:
    """Returns an id of a call that has none: the same content is the same call for ten minutes."""
    return f"unnamed/{content[:16]}/{delivery.received_at // WINDOW}"


def elapsed(phase: str, waited: int | None, talked: int | None) -> int:
    """Returns the seconds from a call's begin to its phase. Details of a call may come when it is over."""
    if phase == "ringing":
        return 0
    return (waited or 0) + (0 if phase == "answered" else talked or 0)


class Clock(NamedTuple):
    """What an exchange's clock says of a call: fields of CallReported. `note` names what could not be read."""

    started_at: Micros | None
    wait_s: int | None
    talk_s: int | None
    note: str

    def at(self, phase: str, received_at: Micros) -> Micros:
        """Returns when the call came to a phase."""
        return happened_at(self.started_at, elapsed(phase, self.wait_s, self.talk_s), received_at)


def clock_of(call: Value, started: Micros | None, begin: str, wait: str, talk: str) -> Clock:
    """`begin`: the name of the field that `started` was read from; `wait` and `talk`: of those with the seconds."""
    waited, talked = seconds_or_none(call, wait), seconds_or_none(call, talk)
    return Clock(started, waited, talked, not_read(call, **{begin: started, wait: waited, talk: talked}))


def not_read(call: Value, **read: object) -> str:
    """Returns a sentence on those of these fields that hold something which could not be read: which are None."""
    return unreadable(call, *(name for name, found in read.items() if found is None))
