"""Which calls are shown on a screen: a fold of the reports of calls. What it shows it ends, once, when somebody else
answers, or when the call ends; what it does not show it never ends."""

from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from crm.decisions.call import internal
from crm.envelope import Fact
from crm.events import CallOpened, CallUpdated
from crm.facts import CallReported
from crm.moments import nearest
from crm.scalars import Id, Micros
from crm.screen_pop.caller import Found, caller
from crm.screen_pop.employees import Salespeople, called, is_among
from crm.shared import Phone
from crm.vocabulary import CallPhase, Direction

SECOND = 1_000_000  # microseconds
LONGEST_RING = 600 * SECOND  # without any report
MOST = 50  # calls that are shown at a time
CURSOR_BYTES = 4_000  # that they take: it is a header, and proxies take 8 kB
MOST_LEGS = 20  # of a call
LONGEST = 64  # characters of the name of a leg or an employee that are kept
FOR_GOOD = 2**62  # later than any report
REMEMBERED = 500  # calls that were answered or ended lately
TALKS = (CallPhase.ANSWERED, CallPhase.TRANSFERRED)
ENDS = (CallPhase.HUNG_UP, CallPhase.COMPLETED)
Message = tuple[str, dict[str, Any]]  # the kind, and what it says


class Facts(Struct, frozen=True):
    """What all reports of a call that were seen say of it."""

    direction: str = ""
    phone: Phone = Phone("", "")
    known: bool = False
    line: str = ""


def with_report(facts: Facts, event: CallOpened | CallUpdated) -> Facts:
    """Returns the facts with those of one more report. A leg out may pass a call in on to a colleague."""
    said = event.phone or Phone("", "")
    keeps = facts.direction == Direction.IN or not event.direction
    return Facts(
        facts.direction if keeps else event.direction,
        said if said.e164 or (not facts.phone.e164 and said.text) else facts.phone,
        facts.known or event.known,
        facts.line or event.line,
    )


class Shown(Struct, frozen=True):
    """A call that is shown: when it began to ring, when it rang last, and whom, by leg. An empty text names nobody."""

    rang_at: Micros
    heard_at: Micros
    rings: dict[str, str]

    @property
    def weight(self) -> int:
        """Bytes in a cursor, about."""
        return 64 + sum(4 + len(leg.encode()) + len(said.encode()) for leg, said in self.rings.items())


class Screen(Struct):
    """One screen. `calls` is all that the cursor of a client has to keep."""

    employees: tuple[str, ...] = ()  # whose calls are shown; empty: everybody's
    calls: dict[Id, Shown] = field(default_factory=dict)
    over: dict[Id, int] = field(default_factory=dict)  # when somebody answered a call, or FOR_GOOD; newest last

    def take(self, event: CallUpdated, facts: Facts, found: Found, now: int) -> list[Message]:
        """Returns what a report changes on the screen. `facts`: with those of the report."""
        if event.phase == CallPhase.RINGING:
            return self.ring(event, facts, found, now)
        if event.phase in TALKS:
            return self.answered(event, found)
        return self.ended(event) if event.phase in ENDS else []

    def ring(self, event: CallUpdated, facts: Facts, found: Found, now: int) -> list[Message]:
        id, at, said = event.call_id, event.meta.occurred_at, event.employee
        shown = self.calls.get(id)
        if not may_ring(event, now) or not comes_in(facts, found) or self.is_over(id, at, found, shown is not None):
            return []
        if said and not self.wants(said, found.salespeople):
            # Until now nobody was named, so everybody was shown the call.
            return self.end(id, "rings_another") if shown and not any(shown.rings.values()) else []
        kept, leg = said[:LONGEST], (event.leg or said)[:LONGEST]
        if shown and (not said or kept in shown.rings.values()):
            self.calls[id] = replace(shown, heard_at=max(at, shown.heard_at))
            return []
        rings = {leg: one for leg, one in shown.rings.items() if one} if shown else {}
        self.calls[id] = Shown(shown.rang_at if shown else at, at, dict([*rings.items(), (leg, kept)][-MOST_LEGS:]))
        phone = facts.phone
        said_of_call = {
            "call_id": id,
            "contact_id": event.contact_id,
            "phone": phone.e164 or (found.call.phone if found.call else ""),
            "phone_text": phone.text,
            "line": facts.line,
            "employee": called(said, found.salespeople),
            "rang_at": nearest(self.calls[id].rang_at),
        }
        return [("ring", {**said_of_call, **caller(found, event.contact_id, facts.known)}), *self.crowded_out()]

    def answered(self, event: CallUpdated, found: Found) -> list[Message]:
        shown = self.calls.get(event.call_id)
        by = event.employee or (shown.rings.get(event.leg[:LONGEST], "") if shown and event.leg else "")
        if by:  # else it may have been a machine, and people are rung after it
            self.remember(event.call_id, event.meta.occurred_at)
        mine = not by or not self.employees or is_among(self.employees, by, found.salespeople)
        why = "answered" if mine else "answered_by_another"
        return self.end(event.call_id, why, by=called(by, found.salespeople))

    def ended(self, event: CallUpdated) -> list[Message]:
        """A leg that ends is one telephone that rings no more. The leg in, and a report of the whole, end the call."""
        shown, ending = self.calls.get(event.call_id), event.leg[:LONGEST]
        if ending and shown and shown.rings.get(ending):
            left = {leg: said for leg, said in shown.rings.items() if leg != ending}
            if left:
                self.calls[event.call_id] = replace(shown, rings=left)
                return []
            return self.end(event.call_id, "rings_no_more", disposition=event.disposition)
        if ending and event.direction != Direction.IN and not (shown and ending in shown.rings):
            return []
        self.remember(event.call_id, FOR_GOOD)
        return self.end(event.call_id, "ended", disposition=event.disposition)

    def forget_silent(self, now: int) -> list[Message]:
        """Ends what was heard of no more."""
        silent = [id for id, shown in self.calls.items() if now - shown.heard_at > LONGEST_RING]
        return [message for id in silent for message in self.end(id, "silent")]

    def crowded_out(self) -> list[Message]:
        """Ends the oldest, so that the cursor stays small."""
        messages: list[Message] = []
        while len(self.calls) > 1 and (
            len(self.calls) > MOST or sum(shown.weight for shown in self.calls.values()) > CURSOR_BYTES
        ):
            messages += self.end(next(iter(self.calls)), "crowded_out")
        return messages

    def end(self, id: Id, why: str, **more: Any) -> list[Message]:
        if self.calls.pop(id, None) is None:
            return []
        return [("end", {"call_id": id, "why": why, "by": None, "disposition": "", **more})]

    def wants(self, said: str, known: Salespeople) -> bool:
        return not self.employees or is_among(self.employees, said, known)

    def remember(self, id: Id, at: int) -> None:
        self.over[id] = max(self.over.pop(id, 0), at)
        if len(self.over) > REMEMBERED:
            del self.over[next(iter(self.over))]

    def is_over(self, id: Id, at: int, found: Found, shown: bool) -> bool:
        """Whether this ring came after the end, or before an answer that is known already. What a screen shows goes on
        until its own reports end it."""
        if at <= self.over.get(id, 0):
            return True
        call = found.call
        if shown or call is None or call.legs:  # of a call with legs the row does not say which of them ended
            return False
        return call.phase in ENDS or (call.phase in TALKS and bool(call.employee) and at < call.touched_at)


def begins_to_ring(fact: Fact, now: int) -> bool:
    """Whether what came in says that a call rings: somebody may want to see it before the journal has it."""
    return isinstance(fact, CallReported) and rings_now(fact, now)


def may_ring(event: CallUpdated, now: int) -> bool:
    """Whether a report is of a call that rings, and not of one that did long ago, as of an import."""
    return rings_now(event, now)


def rings_now(said: CallUpdated | CallReported, now: int) -> bool:
    return said.phase == CallPhase.RINGING and now - said.meta.occurred_at <= LONGEST_RING


def comes_in(facts: Facts, found: Found) -> bool:
    """Whether somebody outside calls. Without any direction it takes a number to believe so."""
    direction = facts.direction or (found.call.direction if found.call else "")
    number = facts.phone.e164 or facts.phone.text or (found.call.phone if found.call else "")
    return not internal(facts.phone) and (direction == Direction.IN or (not direction and bool(number)))
