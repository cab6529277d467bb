"""The simulation: the state at the start of the period, other rules, and the same facts decided again. Pure."""

from crm.decisions import decided
from crm.decisions.case import Case
from crm.engine.in_memory import MemoryState
from crm.envelope import Event, Fact
from crm.errors import Broken
from crm.events import AssignmentRulesSet, PipelineChanged
from crm.scalars import Id, Micros
from crm.state import Workspace, fold
from crm.state.entities import ONLY
from services.operations.whatif.deal_outcomes import Compared, DealOutcomes, compared
from services.operations.whatif.rules import Rules


class Simulation:
    """Simulates one workspace. Feed it the journal's events in the order in which they were recorded."""

    def __init__(self, rules: Rules, since: Micros, until: Micros) -> None:
        self.rules, self.since, self.until = rules, since, until
        self.state = MemoryState()
        self.was, self.would = DealOutcomes(), DealOutcomes()
        self.decided: set[Id] = set()  # facts of the period
        self.failed: dict[Id, str] = {}  # causes that could not be replayed, and why
        self.begun = False

    def before(self, event: Event) -> None:
        """Folds an event from before the period."""
        fold(self.state, event)

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
        return False

    def begin(self) -> None:
        """Starts the period. Raises ValueError when the rules do not fit the workspace, or it does not exist yet."""
        workspace = self.state.get(Workspace, ONLY)
        if workspace is None:
            raise ValueError(
                "This workspace has no events before the end of the period. Choose a later one: what-if goes by the "
                "time of recording, not by the dates of imported facts. Nothing was tried."
            )
        self.state.put(ONLY, self.rules.applied_to(workspace))
        self.begun = True

    def needs_fact(self, event: Event) -> bool:
        """Whether the event is the first of a fact that came in, which has to be decided again."""
        return event.meta.cause_offset >= 0 and event.meta.cause not in self.decided

    def take(self, event: Event, fact: Fact | None) -> None:
        """Takes an event of the period, with its fact when `needs_fact` is true."""
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
        try:
            for would in decided(case):
                self.would.take(would)
        except Broken as error:
            self.failed[meta.cause] = str(error)

    def repeat(self, event: Event) -> None:
        """Repeats what a person did, if its subject exists in the simulation."""
        try:
            fold(self.state, event)
            self.would.take(event, event.meta.cause_offset < 0)
        except Broken as error:
            self.failed[event.meta.cause] = str(error)

    def outcome(self) -> list[Compared]:
        return compared(self.was, self.would)
