"""The rules to try, from a JSON file: who gets which deal, and the pipeline's stages."""

from pathlib import Path

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from crm.shared import AssignmentRule
from crm.state import Workspace

PICKS = ("round_robin", "least_open", "first")


class Rules(Struct, frozen=True, forbid_unknown_fields=True):
    """What is left out stays as it was when the period began."""

    rules: tuple[AssignmentRule, ...] | None = None
    stages: tuple[str, ...] | None = None
    paid_stage: str | None = None
    part_paid_stage: str | None = None

    @property
    def changes_pipeline(self) -> bool:
        return (self.stages, self.paid_stage, self.part_paid_stage) != (None, None, None)

    def over(self, workspace: Workspace) -> Workspace:
        """The workspace as it would have been. Raises ValueError when the stages do not fit each other."""
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


def read(file: Path) -> Rules:
    """Raises ValueError with what is wrong in the file."""
    try:
        rules = msgspec.json.decode(file.read_bytes(), type=Rules)
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {error.strerror}. Nothing was tried.") from None
    except msgspec.DecodeError as error:
        raise ValueError(f"{file} is no file of rules: {error}. docs/whatif.md shows one. Nothing was tried.") from None
    if rules == Rules():
        raise ValueError(f"{file} changes nothing: give `rules`, `stages`, or both. Nothing was tried.")
    for rule in rules.rules or ():
        if rule.pick not in PICKS:
            raise ValueError(f"The rule {rule.name!r} picks {rule.pick!r}; there are {', '.join(PICKS)}.")
        if not (0 <= rule.from_hour <= 24 and 0 <= rule.to_hour <= 24):
            raise ValueError(f"The rule {rule.name!r} is for hours from 0 to 24.")
    return rules
