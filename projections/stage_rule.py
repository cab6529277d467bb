"""One row per stage rule: what happens when a deal reaches a stage."""

from crm.envelope import Row
from crm.events import StageRuleDefined, StageRuleRemoved
from crm.json_column import Json, json_of
from crm.projection import projection
from crm.scalars import Id, Micros
from crm.shared import RuleMessage, RuleTask, Template

NO_TASK, NO_MESSAGE, NO_TEMPLATE = RuleTask(""), RuleMessage(), Template("", "", {})


class StageRuleRow(Row, frozen=True, gc=False):
    """What happens of itself when a deal reaches a stage. A rule acts once on a deal."""

    stage_rule_id: Id
    name: str
    stage: str
    enabled: bool
    source: str
    owner: str
    amount_at_least_minor: int | None
    currency: str
    task_title: str
    task_owner: str
    task_due_hours: int
    task_due_days: int
    message_text: str
    template_name: str
    template_language: str
    template_text: str
    template_values: Json
    webhook_id: Id | None
    version: int  # how many events it is a fold of; give it as expectedVersion
    touched_at: Micros


@projection(key="stage_rule_id", version=1, indexes=("touched_at", "stage, touched_at"))
def stage_rule(row: StageRuleRow | None, event: StageRuleDefined | StageRuleRemoved) -> StageRuleRow | None:
    if isinstance(event, StageRuleRemoved):
        return None
    rule = event.rule
    task, message = rule.task or NO_TASK, rule.message or NO_MESSAGE
    template = message.template or NO_TEMPLATE
    return StageRuleRow(
        stage_rule_id=event.stage_rule_id,
        name=rule.name,
        stage=rule.stage,
        enabled=rule.enabled,
        source=rule.source,
        owner=rule.owner,
        amount_at_least_minor=rule.amount_at_least_minor,
        currency=rule.currency,
        task_title=task.title,
        task_owner=task.owner,
        task_due_hours=task.due_hours,
        task_due_days=task.due_days,
        message_text=message.text,
        template_name=template.name,
        template_language=template.language,
        template_text=message.template_text,
        template_values=json_of(template.values),
        webhook_id=rule.webhook_id,
        version=rule.version,
        touched_at=max(row.touched_at, event.meta.occurred_at) if row else event.meta.occurred_at,
    )
