"""stageRuleDefine: what happens of itself when a deal reaches a stage."""

from collections.abc import Iterator
from typing import Annotated

from msgspec import Struct
from msgspec.structs import replace

from crm.commands import About, Code, Command, ExpectedVersion, Money, Rejected, Short, command
from crm.decisions.case import Case
from crm.decisions.stage_rule_guards import MOST, MOST_DAYS, MOST_HOURS, checked, require_there
from crm.decisions.workspace import workspace_of
from crm.envelope import Event
from crm.events import StageRuleDefined
from crm.scalars import Id

Text = Annotated[str, About(max_length=4_000)]


class RuleTask(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A task that a stage rule adds, about the deal."""

    title: Annotated[str, About(max_length=500, description="What is to be done, with variables such as {deal_title}.")]
    owner: Annotated[Short, About(description="Key of the owner whose task it is; empty: the owner of the deal.")] = ""
    due_hours: Annotated[int, About(ge=0, le=MOST_HOURS, description="It is due so many hours later …")] = 0
    due_days: Annotated[
        int, About(ge=0, le=MOST_DAYS, description="… and so many times 24 hours; 0 and 0: at no time.")
    ] = 0


class RuleTemplate(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A message that the vendor approved before, sent where free text may not be."""

    name: Annotated[Short, About(description="The template's name at the vendor.")]
    language: Annotated[Short, About(description="Its language, such as uk or en_US.")]
    text: Annotated[Text, About(description="What it says, values in double braces.")]
    values: Annotated[
        dict[str, str], About(description="What is put into its text, by the names of its places, with variables.")
    ] = {}


class RuleMessage(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A message that a stage rule sends into the conversation in which the customer last wrote."""

    text: Annotated[
        Text, About(description="Sent while the customer may be written to freely; empty: always the template.")
    ] = ""
    template: Annotated[RuleTemplate | None, About(description="Sent otherwise, where the channel has templates.")] = (
        None
    )


class StageRule(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What happens when a deal reaches a stage. A rule acts once on a deal."""

    name: Annotated[Short, About(description="Display name, shown as the reason. Each rule has its own.")]
    stage: Annotated[Short, About(description="It acts when a deal reaches this stage, or won or lost.")]
    enabled: Annotated[bool, About(description="Whether it acts.")] = True
    source: Annotated[Short, About(description="Only on deals of this source, such as form; empty: of any.")] = ""
    owner: Annotated[Short, About(description="Only on deals of the owner with this key; empty: of any.")] = ""
    amount_at_least: Annotated[Money | None, About(description="Only on deals that are worth as much.")] = None
    task: Annotated[RuleTask | None, About(description="The task that it adds.")] = None
    message: Annotated[RuleMessage | None, About(description="The message that it sends.")] = None
    webhook_id: Annotated[Id | None, About(description="The webhook that is sent StageRuleApplied.")] = None


class StageRuleDefine(Command, frozen=True, gc=False, kw_only=True):
    """Defines what happens when a deal reaches a stage, or redefines it: the whole rule each time, known by its
    name. It acts on deals that reach the stage from then on. See docs/rules.md."""

    rule: Annotated[StageRule, About(description="The rule.")]
    expected_version: ExpectedVersion = None


@command(row="stage_rule")
def stage_rule_define(command: StageRuleDefine, case: Case) -> Iterator[Event]:
    there, workspace_id = workspace_of(case).stage_rules, case.fact.meta.workspace
    id = next((id for id, rule in there.items() if rule.name == command.rule.name.strip()), None)
    before = there[id] if id else None
    at = before.version if before else 0
    if command.expected_version not in (None, at):
        why = f"It is at version {at} now, and you have read {command.expected_version}. Nothing was changed."
        raise Rejected("expectedVersion", Code.VERSION_CONFLICT, f"{why} Read it again.")
    if before is None and len(there) >= MOST:
        raise Rejected("rule", Code.INVALID, f"A workspace has at most {MOST} stage rules. Nothing was changed.")
    rule = checked(command.rule, at + 1, workspace_of(case))
    require_there(rule, case.state, workspace_id)
    if before is None or replace(rule, version=at) != before:
        yield StageRuleDefined(case.meta(workspace_id), id or case.new_id("stage_rule"), rule)
