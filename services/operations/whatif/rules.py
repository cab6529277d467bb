"""The rules to try, from a JSON file: assignment rules, the pipeline's stages and stage rules."""

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from crm.decisions.assignment_rules import mistake
from crm.decisions.commands.stage_rule_define import StageRule
from crm.shared import AssignmentRule
from crm.state import Workspace


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


def read_rules(file: Path, effect: str = "Nothing was tried.") -> Rules:
    """Returns the rules of a file. Raises ValueError with what is wrong in it; `effect` ends the sentence."""
    try:
        rules = msgspec.json.decode(file.read_bytes(), type=Rules)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}. {effect}") from None
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{file} is not a file of rules: {error}. See docs/whatif.md for an example. {effect}"
        ) from None
    if rules == Rules():
        raise ValueError(f"{file} changes nothing: give `rules`, `stages` or `stage_rules`. {effect}")
    for rule in rules.rules or ():
        if wrong := mistake(rule):
            raise ValueError(f"{wrong} {effect}")
    names = [rule.name.strip() for rule in rules.stage_rules or ()]
    if twice := next((name for name in names if names.count(name) > 1), ""):
        raise ValueError(f"There are two stage rules {twice!r}: the name tells which one acted. {effect}")
    return rules
