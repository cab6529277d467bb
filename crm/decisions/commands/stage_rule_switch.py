"""stageRuleSwitch: a stage rule is switched off, or on."""

from collections.abc import Iterator
from typing import Annotated

from msgspec.structs import replace

from crm.commands import About, Command, ExpectedVersion, command
from crm.decisions.case import Case
from crm.decisions.guards import require_version
from crm.decisions.stage_rule_guards import require_rule
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import StageRuleDefined
from crm.scalars import Id


class StageRuleSwitch(Command, frozen=True, gc=False, kw_only=True):
    """Switches a stage rule off or on. What deals reached meanwhile is not made up for."""

    stage_rule_id: Annotated[Id, About(description="Which rule.")]
    enabled: Annotated[bool, About(description="Whether it acts.")]
    expected_version: ExpectedVersion = None


@command(row="stage_rule")
def stage_rule_switch(command: StageRuleSwitch, case: Case) -> Iterator[Event]:
    rule = require_rule(workspace_of(case), command.stage_rule_id)
    require_version(rule, command.expected_version)
    if rule.enabled != command.enabled:
        changed = replace(rule, enabled=command.enabled, version=rule.version + 1)
        yield StageRuleDefined(case.meta(case.fact.meta.workspace), command.stage_rule_id, changed)
