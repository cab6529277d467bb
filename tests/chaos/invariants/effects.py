"""The first invariant: every acknowledged fact has its whole effect in the journal once and only once."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crm.envelope import BYTES, Event, named_id, stem
from crm.events import (
    AssignmentRulesSet,
    CallUpdated,
    CommandAccepted,
    ConversationNoted,
    ConversationReached,
    DealOpened,
    DeliveryNoted,
    EnquiryRepeated,
    FactQuarantined,
    MessageDeleted,
    MessageEdited,
    MessageReceived,
    MessageStatusChanged,
    PaymentRecorded,
    PaymentReportOutdated,
    WebhookAdded,
    WorkspaceCreated,
)
from crm.scalars import Id, Micros
from tests.chaos.invariants.journal import Journal
from tests.chaos.invariants.violations import violation
from tests.support.workload.ledger import Ledger

EFFECTS: dict[str, tuple[type[Event], ...]] = {  # exactly one event of these follows from each fact
    "FormSubmitted": (DealOpened, EnquiryRepeated, DeliveryNoted, FactQuarantined),
    "PaymentReported": (PaymentRecorded, PaymentReportOutdated, FactQuarantined),
    "CallReported": (CallUpdated, FactQuarantined),
    "MessageReported": (
        MessageReceived,
        MessageEdited,
        MessageDeleted,
        ConversationNoted,
        DeliveryNoted,
        FactQuarantined,
    ),
    "MailReported": (MessageReceived, MessageEdited, DeliveryNoted, FactQuarantined),
    "MessageStatusReported": (MessageStatusChanged, ConversationReached, DeliveryNoted, FactQuarantined),
    "DeliveryKept": (DeliveryNoted, FactQuarantined),
    "DeliveryQuarantined": (FactQuarantined,),
}
SET_UP = (WorkspaceCreated, AssignmentRulesSet, WebhookAdded)  # no fact led to these
Placed = tuple[int, Event]  # with its partition

OFFENCES = (
    LOST := "acknowledged facts have no effect in the journal",
    REPEATED := "acknowledged facts have more than one effect",
    ASIDE := "good facts were put into quarantine",
    TWICE := "facts have events that are in the journal twice",
    TORN := "facts have only a part of their events in the journal",
    SHUFFLED := "facts have events out of their order in a partition",
    ELSEWHERE := "facts have events in another workspace than their own",
    STRANGE := "causes in the journal were never acknowledged to anybody",
)


@dataclass
class EffectCounts:
    """Counts of effects of acknowledged facts."""

    effects: int = 0
    lost: int = 0
    duplicated: int = 0
    broken: list[str] = field(default_factory=list)


def count_effects(journal: Journal, ledger: Ledger) -> EffectCounts:
    causes = by_cause(journal)
    found = EffectCounts()
    wrong: dict[str, list[str]] = {offence: [] for offence in OFFENCES}
    for id, kind in ledger.facts.items():
        events, who = causes.get(id, ()), f"{kind.fact} {id}"
        had = sum(type(event) in EFFECTS[kind.fact] for _, event in events)
        found.effects += had
        found.lost += not had
        found.duplicated += max(0, had - 1)
        if not had:
            wrong[LOST].append(who)
        elif had > 1:
            wrong[REPEATED].append(f"{who} has {had}")
        if kind.fact != "DeliveryQuarantined" and any(type(event) is FactQuarantined for _, event in events):
            wrong[ASIDE].append(who)
        if any(event.meta.workspace != kind.workspace for _, event in events):
            wrong[ELSEWHERE].append(who)
    for cause, events in causes.items():
        ids = [event.meta.id for _, event in events]
        ordinals = ordinals_of(cause, ids, journal.unread)
        if len({*ids}) < len(ids):
            wrong[TWICE].append(f"{len(ids) - len({*ids})} of {cause}")
        elif ordinals is None:
            wrong[TORN].append(f"{len(ids)} events of {cause}")
        elif not in_order(events, ordinals):
            wrong[SHUFFLED].append(f"those of {cause}")
        if cause not in ledger.facts and not all(isinstance(event, SET_UP) for _, event in events):
            wrong[STRANGE].append(cause)
    found.broken = [text for offence, examples in wrong.items() for text in violation(offence, examples)]
    return found


def by_cause(journal: Journal) -> dict[Id, list[Placed]]:
    causes: dict[Id, list[Placed]] = {}
    for partition, events in journal.partitions.items():
        for _, event in events:
            if not isinstance(event, CommandAccepted):  # it says who gave a command; the effects are the others
                causes.setdefault(event.meta.cause, []).append((partition, event))
    return causes


def ordinals_of(cause: Id, ids: Sequence[Id], unread: set[Id]) -> dict[Id, int] | None:
    """Returns the ordinal of each event of a cause: 1, 2, 3 … None when one is missing, unless it exists and
    cannot be read by this version."""
    ordinals: dict[Id, int] = {}
    left, ordinal = {*ids}, 0
    moments = {milliseconds_of(id) for id in ids if id[14] == "8"}
    while left:
        ordinal += 1
        names = [stem(Micros(at * 1000), cause, "") + BYTES[ordinal] for at in moments] if ordinal < len(BYTES) else []
        found = {named_id(cause, str(ordinal)), *map(Id, names)}
        if here := found & left:
            left -= here
            ordinals |= dict.fromkeys(here, ordinal)
        elif not found & unread:
            return None
    return ordinals


def milliseconds_of(id: Id) -> int:
    """The time that an ordered id begins with."""
    return int(id[:8] + id[9:13], 16)


def in_order(events: Sequence[Placed], ordinals: dict[Id, int]) -> bool:
    """Whether the events of one fact are in the decided order in each partition."""
    last: dict[int, int] = {}
    for partition, event in events:
        ordinal = ordinals[event.meta.id]
        if ordinal < last.get(partition, 0):
            return False
        last[partition] = ordinal
    return True
