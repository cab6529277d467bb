"""What becomes of a quarantined delivery: taken up again, in vain or not, or set aside for good."""

from collections.abc import Callable, Iterable, Iterator

from msgspec.structs import replace

from crm.contract.codec import decode
from crm.decisions.case import Case
from crm.decisions.fact_rule import FactRule
from crm.envelope import Event, Fact
from crm.errors import Malformed
from crm.events import FactQuarantined, QuarantineAttempted, QuarantineSettled
from crm.facts import DeliveryDiscarded, DeliveryReparsed, FactRetried
from crm.scalars import Id
from crm.state import Quarantined

Decide = Callable[[Case], Iterable[Event]]


def delivery_reparsed(fact: DeliveryReparsed, case: Case) -> Iterator[Event]:
    if fact.reason:
        yield attempted(case, fact.quarantine_id, fact.reason)
    else:
        yield settled(case, fact.quarantine_id, "released", 1)


def delivery_discarded(fact: DeliveryDiscarded, case: Case) -> Iterator[Event]:
    yield settled(case, fact.quarantine_id, "discarded", 0, fact.reason)


def fact_retried(retry: FactRetried, case: Case, decide: Decide) -> Iterator[Event]:
    """The original fact under the id of this attempt: its own id counts as decided. It is decided with its settling,
    so neither can be there without the other."""
    before = case.state.get(Quarantined, retry.quarantine_id)
    if before and before.status:
        yield attempted(case, retry.quarantine_id, "")
        return
    try:
        case.fact = original(retry)
    except Malformed as error:
        yield attempted(case, retry.quarantine_id, str(error))
        return
    refusal = ""
    for event in decide(case):
        if isinstance(event, FactQuarantined):
            refusal = event.reason
        else:
            yield event
    case.fact = retry
    if refusal:
        yield attempted(case, retry.quarantine_id, refusal)
    else:
        yield settled(case, retry.quarantine_id, "released", 1)


def original(retry: FactRetried) -> Fact:
    """Raises Malformed when it cannot be read, or is not a fact from outside."""
    fact = decode(retry.fact)
    if not isinstance(fact, Fact) or isinstance(fact, FactRetried):
        raise Malformed(f"{type(fact).__name__} is no fact that can be decided once more")
    return replace(fact, meta=replace(fact.meta, id=retry.meta.id, workspace=retry.meta.workspace))


def attempted(case: Case, quarantine_id: Id, reason: str) -> QuarantineAttempted:
    entry = case.state.get(Quarantined, quarantine_id) or Quarantined()
    if entry.status:
        reason = f"It was {entry.status} before. Nothing was changed."
    return QuarantineAttempted(case.meta(quarantine_id), quarantine_id, entry.attempts + 1, reason)


def settled(case: Case, quarantine_id: Id, status: str, tries: int, reason: str = "") -> Event:
    """`tries` is 1 when this settles it by an attempt. What is settled stays as it is."""
    entry = case.state.get(Quarantined, quarantine_id) or Quarantined()
    if entry.status:
        return attempted(case, quarantine_id, "")
    return QuarantineSettled(case.meta(quarantine_id), quarantine_id, status, entry.attempts + tries, reason)


REPARSED = FactRule(DeliveryReparsed, delivery_reparsed, needs_workspace=False)
DISCARDED = FactRule(DeliveryDiscarded, delivery_discarded, needs_workspace=False)
