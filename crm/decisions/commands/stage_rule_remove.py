"""stageRuleRemove: a stage rule acts no more."""

from collections.abc import Iterator
from typing import Annotated

from crm.commands import About, Command, command
from crm.decisions.case import Case
from crm.decisions.stage_rule_guards import require_rule
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import StageRuleRemoved
from crm.scalars import Id


class StageRuleRemove(Command, frozen=True, gc=False, kw_only=True):
    """Removes a stage rule. What it did stays, and messages that it queued are sent."""

    stage_rule_id: Annotated[Id, About(description="Which rule.")]


@command(row="stage_rule")
def stage_rule_remove(command: StageRuleRemove, case: Case) -> Iterator[Event]:
    rule = require_rule(workspace_of(case), command.stage_rule_id)
    yield StageRuleRemoved(case.meta(case.fact.meta.workspace), command.stage_rule_id, rule.name)
