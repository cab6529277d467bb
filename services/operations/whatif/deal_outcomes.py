"""Outcomes of the deals of a period: owner, stage, and time to the first contact with the customer."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median

from msgspec import Struct

from crm.envelope import Event
from crm.events import CallUpdated, DealAssigned, DealOpened, DealStageMoved
from crm.scalars import Id, Micros

SPOKEN = ("answered", "transferred", "hung_up", "completed")  # phases of a call that an employee took


class DealOutcome(Struct, gc=False):
    """One deal. `touched_at`: when an employee first spoke with its contact or changed the deal."""

    deal_id: Id
    number: int
    title: str
    opened_at: Micros
    stage: str
    owner: str = ""
    why: str = ""
    touched_at: Micros | None = None


class DealOutcomes:
    """Collects outcomes from events in order. Ignores deals that were opened before the first event."""

    def __init__(self) -> None:
        self.deals: dict[Id, DealOutcome] = {}
        self.untouched: defaultdict[Id, list[DealOutcome]] = defaultdict(list)  # by contact

    def take(self, event: Event, manual: bool = False) -> None:
        """Updates the outcomes. `manual`: a person caused the event."""
        match event:
            case DealOpened():
                deal = DealOutcome(event.deal_id, event.number, event.title, event.meta.occurred_at, event.stage)
                self.deals[event.deal_id] = deal
                self.untouched[event.contact_id].append(deal)
            case DealAssigned(deal_id=id) if id in self.deals:
                self.deals[id].owner, self.deals[id].why = event.owner, event.why
            case DealStageMoved(deal_id=id) if id in self.deals:
                self.deals[id].stage = event.stage
        if manual or (isinstance(event, CallUpdated) and event.employee and event.phase in SPOKEN):
            self.touch(event)

    def touch(self, event: Event) -> None:
        only = getattr(event, "deal_id", None)
        waiting = self.untouched.get(getattr(event, "contact_id", Id("")), [])
        for deal in [d for d in waiting if only in (None, d.deal_id)]:
            deal.touched_at = max(event.meta.occurred_at, deal.opened_at)
            waiting.remove(deal)


class Compared(Struct, frozen=True, gc=False):
    """A deal's real and simulated outcome.

    `touch_s`: seconds to the first touch. `would_touch_s`: the median of the simulated owner's real deals of the
    period; None when that owner touched none.
    """

    deal_id: Id
    number: int
    title: str
    opened_at: Micros
    owner: str
    would_owner: str
    why: str
    would_why: str
    stage: str
    would_stage: str
    touch_s: float | None
    would_touch_s: float | None

    @property
    def differs(self) -> bool:
        return (self.owner, self.stage) != (self.would_owner, self.would_stage)

    @property
    def change(self) -> tuple[int, Micros]:
        """Sorts deals that differ: owner and stage changed first, then the earlier ones."""
        changes = (self.owner != self.would_owner) + (self.stage != self.would_stage)
        return -changes, self.opened_at


class Share(Struct, frozen=True, gc=False):
    """One owner's real and simulated number of deals."""

    owner: str
    deals: int
    would_deals: int
    touch_s: float | None  # median

    @property
    def change(self) -> tuple[int, bool, str]:
        """Sorts owners: those whose number of deals changes most first, nobody last among equals."""
        return -abs(self.would_deals - self.deals), not self.owner, self.owner


def compared(was: DealOutcomes, would: DealOutcomes) -> list[Compared]:
    """Returns every real or simulated deal in the order of opening."""
    return sorted(pairs(was, would, medians(was.deals.values())), key=lambda c: (c.opened_at, c.number, c.deal_id))


def pairs(was: DealOutcomes, would: DealOutcomes, usual: dict[str, float]) -> Iterator[Compared]:
    nothing = DealOutcome(Id(""), 0, "", Micros(0), "")
    for id in was.deals | would.deals:
        a, b = was.deals.get(id, nothing), would.deals.get(id, nothing)
        some = a if id in was.deals else b
        expected = seconds(a) if a.owner == b.owner else usual.get(b.owner)
        yield Compared(
            deal_id=id,
            number=some.number,
            title=some.title,
            opened_at=some.opened_at,
            owner=a.owner,
            would_owner=b.owner,
            why=a.why,
            would_why=b.why,
            stage=a.stage,
            would_stage=b.stage,
            touch_s=seconds(a),
            would_touch_s=expected,
        )


def seconds(deal: DealOutcome) -> float | None:
    return None if deal.touched_at is None else (deal.touched_at - deal.opened_at) / 1_000_000


def medians(deals: Iterable[DealOutcome]) -> dict[str, float]:
    by_owner: defaultdict[str, list[float]] = defaultdict(list)
    for deal in deals:
        if (waited := seconds(deal)) is not None:
            by_owner[deal.owner].append(waited)
    return {owner: median(all) for owner, all in by_owner.items()}


def shares(rows: Iterable[Compared]) -> list[Share]:
    """Returns the shares by owner; deals without an owner come last."""
    rows = list(rows)
    owners = sorted({r.owner for r in rows} | {r.would_owner for r in rows}, key=lambda o: (not o, o))
    touched = {o: [r.touch_s for r in rows if r.owner == o and r.touch_s is not None] for o in owners}
    return [
        Share(
            owner,
            sum(r.owner == owner and bool(r.stage) for r in rows),
            sum(r.would_owner == owner and bool(r.would_stage) for r in rows),
            median(touched[owner]) if touched[owner] else None,
        )
        for owner in owners
    ]
