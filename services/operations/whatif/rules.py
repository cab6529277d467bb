"""The rules to try, from a JSON file: assignment rules and the pipeline's stages."""

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from crm.shared import AssignmentRule
from crm.state import Workspace

PICKS = ("round_robin", "least_open", "first")


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it was at the start of the period."""

    rules: tuple[AssignmentRule, ...] | None = None
    stages: tuple[str, ...] | None = None
    paid_stage: str | None = None
    part_paid_stage: str | None = None

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
            if stage not in tried.stages:
                raise ValueError(f"The stage {stage!r} is not among {', '.join(tried.stages)}. Nothing was tried.")
        return tried


def read_rules(file: Path) -> Rules:
    """Returns the rules of a file. Raises ValueError with what is wrong in it."""
    try:
        rules = msgspec.json.decode(file.read_bytes(), type=Rules)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}. Nothing was tried.") from None
    except msgspec.DecodeError as error:
        raise ValueError(
            f"{file} is not a file of rules: {error}. See docs/whatif.md for an example. Nothing was tried."
        ) from None
    if rules == Rules():
        raise ValueError(f"{file} changes nothing: give `rules`, `stages` or both. Nothing was tried.")
    for rule in rules.rules or ():
        if rule.pick not in PICKS:
            raise ValueError(f"The rule {rule.name!r} has the pick {rule.pick!r}. Choose one of {', '.join(PICKS)}.")
        if not (0 <= rule.from_hour <= 24 and 0 <= rule.to_hour <= 24):
            raise ValueError(f"The rule {rule.name!r} has hours outside of 0 to 24.")
    return rules
