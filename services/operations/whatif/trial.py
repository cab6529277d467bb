"""The trial: the state as it was when the period began, other rules, and the same facts decided again. Pure."""

from crm.decisions import decided
from crm.decisions.case import Case
from crm.engine.in_memory import MemoryState
from crm.envelope import Event, Fact
from crm.errors import Broken
from crm.events import AssignmentRulesSet, PipelineChanged
from crm.scalars import Id, Micros
from crm.state import Workspace, fold
from crm.state.entities import ONLY
from services.operations.whatif.course import Compared, Course, compared
from services.operations.whatif.rules import Rules


class Trial:
    """Of one workspace. Feed it the journal's events in the order in which they were recorded."""

    def __init__(self, rules: Rules, since: Micros, until: Micros) -> None:
        self.rules, self.since, self.until = rules, since, until
        self.state = MemoryState()
        self.was, self.would = Course(), Course()
        self.decided: set[Id] = set()  # facts of the period
        self.stumbled: dict[Id, str] = {}  # causes that could not be taken over into the trial, and why
        self.begun = False

    def before(self, event: Event) -> None:
        """An event from before the period."""
        fold(self.state, event)

    @property
    def there(self) -> bool:
        """The workspace is: a period may have begun before it."""
        return self.state.get(Workspace, ONLY) is not None

    def gives_way(self, event: Event) -> bool:
        """What was set in the period is not, where the rules on trial say something else."""
        match event:
            case AssignmentRulesSet():
                return self.rules.rules is not None
            case PipelineChanged():
                return self.rules.changes_pipeline
        return False

    def begin(self) -> None:
        """Raises ValueError when the rules do not fit the workspace, or there is none."""
        workspace = self.state.get(Workspace, ONLY)
        if workspace is None:
            raise ValueError("The workspace was not there yet when this period ended. Nothing was tried.")
        self.state.put(ONLY, self.rules.over(workspace))
        self.begun = True

    def asks_for_fact(self, event: Event) -> bool:
        """Whether the fact behind an event of the period is to be decided again: it came in, and this is its first."""
        return event.meta.cause_offset >= 0 and event.meta.cause not in self.decided

    def take(self, event: Event, fact: Fact | None) -> None:
        """An event of the period, with its fact when `asks_for_fact` said so."""
        if fact is not None and fact.meta.id != event.meta.cause:
            fact = None  # the event put right what this fact had led to: it is not the fact's own
        by_hand = fact is None and event.meta.cause not in self.decided and not self.gives_way(event)
        self.was.take(event, by_hand and event.meta.cause_offset < 0)
        if fact is not None:
            self.again(fact, event)
        elif by_hand:
            self.over(event)

    def again(self, fact: Fact, event: Event) -> None:
        meta = event.meta
        self.decided.add(meta.cause)
        case = Case(fact, self.state, meta.recorded_at, meta.cause_topic, meta.cause_partition, meta.cause_offset)
        try:
            for would in decided(case):
                self.would.take(would)
        except Broken as error:
            self.stumbled[meta.cause] = str(error)

    def over(self, event: Event) -> None:
        """What a person did is done in the trial too, where what it was done to is there."""
        try:
            fold(self.state, event)
            self.would.take(event, event.meta.cause_offset < 0)
        except Broken as error:
            self.stumbled[event.meta.cause] = str(error)

    def outcome(self) -> list[Compared]:
        return compared(self.was, self.would)
