"""What if: other rules over a past period, as the API asks for it and the role imports tries it.

A trial has a schema of its own in Postgres, which services/operations/whatif/scratch.py writes. Its comment is MARK and
what was tried; the next line has the workspace.
"""

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from crm.decisions.assignment_rules import mistake
from crm.decisions.commands.stage_rule_define import StageRule
from crm.moments import Clock
from crm.scalars import Id, Micros
from crm.shared import AssignmentRule
from crm.state import Workspace

MARK, PREFIX = "A trial of `crm whatif`: ", "whatif_"
MOST = 20  # trials of a workspace that the API keeps


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it was at the start of the period."""

    rules: tuple[AssignmentRule, ...] | None = None
    stages: tuple[str, ...] | None = None
    paid_stage: str | None = None
    part_paid_stage: str | None = None
    stage_rules: tuple[StageRule, ...] | None = None

    @property
    def changes_pipeline(self) -> bool:
        return (self.stages, self.paid_stage, self.part_paid_stage) != (None, None, None)

    def applied_to(self, workspace: Workspace) -> Workspace:
        """Returns the workspace with these rules. Raises ValueError when the stages contradict each other."""
        tried = replace(
            workspace,
            rules_version=workspace.rules_version + (self.rules is not None),
            rules=workspace.rules if self.rules is None else self.rules,
            stages=self.stages or workspace.stages,
            paid_stage=self.paid_stage or workspace.paid_stage,
            part_paid_stage=self.part_paid_stage or workspace.part_paid_stage,
        )
        for stage in (tried.paid_stage, tried.part_paid_stage):
            if stage not in tried.stages and (stage != "won" or stage != tried.paid_stage):
                raise ValueError(f"The stage {stage!r} is not among {', '.join(tried.stages)}. Nothing was tried.")
        return tried


class Phase(StrEnum):
    """Where a trial is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Request(Struct, frozen=True):
    """Written by the API alone."""

    id: Id
    workspace: Id
    label: str  # of a person, for the list
    since: Micros
    until: Micros
    clock: Clock
    rules: Rules
    requested_by: str
    requested_at: Micros

    @property
    def name(self) -> str:
        """The trial's name, as `crm whatif drop` takes it: no two workspaces have the same."""
        return f"t{self.id.replace('-', '')}"


class Status(Struct, frozen=True):
    """Written by the role alone. `done` of `whole`: events."""

    phase: Phase = Phase.WAITING
    done: int = 0
    whole: int = 0
    message: str = ""
    couldnt: int = 0  # facts and commands that do not fit the simulated history


def wrong_in(rules: Rules) -> str:
    """Returns what is wrong with rules by themselves, as a sentence; empty when nothing is."""
    for rule in rules.rules or ():
        if wrong := mistake(rule):
            return wrong
    names = [rule.name.strip() for rule in rules.stage_rules or ()]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        return f"There are two stage rules {twice!r}: the name tells which one acted."
    return ""
