"""The simulation: the state at the start of the period, other rules, and the same facts decided again. Pure."""

from enum import Enum

from msgspec.structs import replace

from crm.commands import Command
from crm.decisions import decided
from crm.decisions.case import Case
from crm.decisions.stage_rules import consequences
from crm.engine.in_memory import MemoryState
from crm.envelope import Event, Fact
from crm.errors import Broken
from crm.events import AssignmentRulesSet, PipelineChanged, StageRuleApplied, StageRuleDefined, StageRuleRemoved
from crm.moments import Clock
from crm.scalars import Id, Micros
from crm.state import Workspace, fold, fold_all
from crm.state.entities import ONLY
from crm.whatif import Rules
from services.operations.quarantine.formatting import iso
from services.operations.whatif.deal_outcomes import Compared, DealOutcomes, compared
from services.operations.whatif.stage_rules import Touched, on_trial, touched


class Phase(Enum):
    """Where an event lies."""

    BEFORE, WITHIN, AFTER = range(3)


class Simulation:
    """Simulates one workspace. Feed it the journal's events in the order in which they were recorded."""

    def __init__(self, rules: Rules, since: Micros, until: Micros, clock: Clock = Clock.RECORDED) -> None:
        self.rules, self.since, self.until, self.clock = rules, since, until, clock
        self.first: Micros | None = None  # the earliest moment that a period can refer to
        self.state = MemoryState()
        self.was, self.would = DealOutcomes(), DealOutcomes()
        self.decided: set[Id] = set()  # facts of the period
        self.failed: dict[Id, str] = {}  # causes that could not be replayed, and why
        self.begun = False
        self.touched: list[Touched] = []  # by the stage rules on trial
        self.by_hand: list[Event] = []  # what one command led to, so far

    def phase(self, event: Event) -> Phase:
        """Tells where an event lies. By the time of occurrence, what sets up the workspace comes before any period."""
        meta = event.meta
        if self.clock is Clock.OCCURRED and meta.cause_offset < 0 and meta.stream == meta.workspace:
            return Phase.BEFORE
        moment = self.clock.of(event)
        self.first = moment if self.first is None else min(self.first, moment)
        return Phase.BEFORE if moment < self.since else Phase.WITHIN if moment < self.until else Phase.AFTER

    def before(self, event: Event) -> None:
        """Folds an event from before the period, which may also be recorded during it."""
        if self.begun and self.is_replaced(event):
            return
        try:
            fold(self.state, event)
        except Broken as error:
            if self.clock is Clock.RECORDED:
                raise
            self.failed[event.meta.cause] = str(error)  # it builds on something from after the period

    @property
    def workspace_exists(self) -> bool:
        """Whether the workspace exists yet: a period may start before it."""
        return self.state.get(Workspace, ONLY) is not None

    def is_replaced(self, event: Event) -> bool:
        """Whether an event sets rules or stages that the simulated rules replace."""
        match event:
            case AssignmentRulesSet():
                return self.rules.rules is not None
            case PipelineChanged():
                return self.rules.changes_pipeline
            case StageRuleDefined() | StageRuleRemoved() | StageRuleApplied():
                return self.rules.stage_rules is not None
        return False

    def begin(self) -> None:
        """Starts the period. Raises ValueError when the rules do not fit the workspace, or it does not exist yet."""
        workspace = self.state.get(Workspace, ONLY)
        if workspace is None:
            raise ValueError(self.nothing_there())
        tried = self.rules.applied_to(workspace)
        if self.rules.stage_rules is not None:
            tried = replace(tried, stage_rules=on_trial(self.rules.stage_rules, tried))
        self.state.put(ONLY, tried)
        self.begun = True

    def nothing_there(self) -> str:
        """Returns a sentence for a period in which there is nothing to decide."""
        if self.first is None:
            return "This workspace has no events yet. Nothing was tried: check --workspace."
        first = iso(self.first)
        if self.clock is Clock.OCCURRED:
            return f"No fact of this workspace is dated in this period: they begin at {first}. Nothing was tried."
        return (
            f"This workspace has no events before the end of the period: they were recorded from {first} on. "
            "Choose a later period, or go by the dates of imported facts with --clock occurred. Nothing was tried."
        )

    def needs_fact(self, event: Event) -> bool:
        """Whether the event is the first of a fact that came in, which has to be decided again."""
        return event.meta.cause_offset >= 0 and event.meta.cause not in self.decided

    def take(self, event: Event, fact: Fact | None) -> None:
        """Takes an event of the period, with its fact when `needs_fact` is true."""
        if self.by_hand and self.by_hand[-1].meta.cause != event.meta.cause:
            self.follow_commands()
        if fact is not None and fact.meta.id != event.meta.cause:
            fact = None  # a correction of what this fact had led to, not the fact's own event
        manual = fact is None and event.meta.cause not in self.decided and not self.is_replaced(event)
        self.was.take(event, manual and event.meta.cause_offset < 0)
        if fact is not None:
            self.decide(fact, event)
        elif manual:
            self.repeat(event)

    def decide(self, fact: Fact, event: Event) -> None:
        """Decides a fact again in the simulated state."""
        meta = event.meta
        self.decided.add(meta.cause)
        case = Case(fact, self.state, meta.recorded_at, meta.cause_topic, meta.cause_partition, meta.cause_offset)
        case.trial = self.clock is Clock.OCCURRED
        try:
            for would in decided(case):
                self.would.take(would)
                self.count(would)
        except Broken as error:
            self.failed[meta.cause] = str(error)

    def repeat(self, event: Event) -> None:
        """Repeats what a person did, if its subject exists in the simulation."""
        try:
            fold(self.state, event)
            self.would.take(event, event.meta.cause_offset < 0)
            self.by_hand.append(event)
        except Broken as error:
            self.failed[event.meta.cause] = str(error)

    def follow_commands(self) -> None:
        """Runs the stage rules on trial on all that a command led to."""
        events, self.by_hand = self.by_hand, []
        if self.rules.stage_rules is None or not events:
            return
        meta = events[0].meta
        command = Command(meta=replace(meta, id=meta.cause))
        case = Case(command, self.state, meta.recorded_at)
        case.trial = self.clock is Clock.OCCURRED
        for would in fold_all(self.state, consequences(case, events)):
            self.count(would)

    def count(self, event: Event) -> None:
        if self.rules.stage_rules is not None and isinstance(event, StageRuleApplied):
            self.touched.append(touched(event))

    def outcome(self) -> list[Compared]:
        """Ends the period. Returns its deals."""
        self.follow_commands()
        return compared(self.was, self.would)
