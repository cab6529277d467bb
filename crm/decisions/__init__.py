"""Turns facts (what came in) into events (what happened): one pure decision for each type of fact."""

from collections.abc import Iterable
from typing import Any

import msgspec
from msgspec.structs import replace

from crm.decisions.call import call_reported
from crm.decisions.case import Case, Decision
from crm.decisions.chat import message_reported
from crm.decisions.delivery import NO_RAW, delivery_kept, delivery_quarantined, quarantined
from crm.decisions.form import form_submitted
from crm.decisions.limits import clamp_times, violates_limits
from crm.decisions.loading import follow, hints
from crm.decisions.payment import payment_reported
from crm.decisions.quarantine import delivery_discarded, delivery_reparsed, fact_retried
from crm.envelope import Event, Fact
from crm.facts import (
    CallReported,
    DeliveryDiscarded,
    DeliveryKept,
    DeliveryQuarantined,
    DeliveryReparsed,
    FactRetried,
    FormSubmitted,
    MessageReported,
    PaymentReported,
)
from crm.state import Workspace, fold
from crm.state.entities import ONLY

__all__ = ["DECISIONS", "decided", "follow", "hints"]

DECISIONS: dict[type[Fact], Decision] = {
    FormSubmitted: form_submitted,
    PaymentReported: payment_reported,
    CallReported: call_reported,
    MessageReported: message_reported,
    DeliveryKept: delivery_kept,
}
# Decided also where there is no workspace: its absence may be what is wrong.
OF_QUARANTINE: dict[type[Fact], Decision] = {
    DeliveryQuarantined: delivery_quarantined,
    DeliveryReparsed: delivery_reparsed,
    DeliveryDiscarded: delivery_discarded,
    FactRetried: lambda fact, case: fact_retried(fact, case, decision_of),
}


def decided(case: Case) -> list[Event]:
    """The events of a fact, at least one, each folded into the state. Whatever the state raises passes through."""
    events = []
    for event in decision_of(case):
        fold(case.state, event)
        events.append(event)
    return events


def decision_of(case: Case) -> Iterable[Event]:
    """Each event is to be folded before the next one is asked for."""
    clean = strip_nul(case.fact)
    case.fact = fact = clamp_times(clean, case.now)
    if decision := OF_QUARANTINE.get(type(fact)):
        return decision(fact, case)
    if case.state.get(Workspace, ONLY) is None:
        reason = (
            f"There is no workspace {fact.meta.workspace}. The delivery is kept. "
            "Create it with `crm workspace create --id`, then run `crm quarantine reparse`."
        )
    elif why := violates_limits(clean):
        reason = why
    elif decision := DECISIONS.get(type(fact)):
        return decision(fact, case)
    else:
        reason = f"Nothing is decided on a {type(fact).__name__}. It is kept. Send it to its own topic."
    return [quarantined(case, fact.meta.actor, reason)]


def strip_nul(fact: Fact) -> Fact:
    """The fact without NUL in its texts, which Postgres cannot hold. The raw bytes stay as they are."""
    raw = getattr(fact, "raw", NO_RAW)
    bare: Any = replace(fact, raw=NO_RAW) if raw is not NO_RAW else fact
    text = msgspec.json.encode(bare)
    if b"\\" not in text or b"\\u0000" not in text:  # the first is found out at once
        return fact
    clean = msgspec.convert(without_nul(msgspec.to_builtins(bare, builtin_types=(bytes,))), type(fact))
    return replace(clean, raw=raw) if raw is not NO_RAW else clean


def without_nul(value: Any) -> Any:
    """Also not as JSON's escape: custom fields are JSON text."""
    match value:
        case str():
            return value.replace("\0", "\ufffd").replace("\\u0000", "\\ufffd")
        case dict():
            return {without_nul(name): without_nul(item) for name, item in value.items()}
        case list() | tuple():
            return [without_nul(item) for item in value]
    return value
