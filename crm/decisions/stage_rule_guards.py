"""What a stage rule may look like before it is defined, and what may not go while one names it."""

from collections.abc import Iterable
from typing import Any

from crm import shared
from crm.commands import Code, Rejected
from crm.decisions.case import State
from crm.decisions.owners import require_assignable
from crm.decisions.rule_variables import mistake
from crm.decisions.workspace import LARGEST_SUM
from crm.errors import Malformed
from crm.money import currency_of
from crm.scalars import Id
from crm.send_limits import places_in
from crm.state import WebhookKept, Workspace
from crm.state.entities import OUTCOMES

MOST = 100  # rules of a workspace
MOST_HOURS, MOST_DAYS = 1_000, 1_000
NOTHING = "Nothing was changed."


def require_rule(workspace: Workspace, id: Id) -> shared.StageRule:
    """Raises Rejected when there is none."""
    if (rule := workspace.stage_rules.get(id)) is None:
        raise Rejected("stageRuleId", Code.NOT_FOUND, f"There is no stage rule {id}. {NOTHING}")
    return rule


def checked(given: Any, version: int, workspace: Workspace, within: str = "rule.") -> shared.StageRule:
    """Returns the rule of a `commands.stage_rule_define.StageRule`. Raises Rejected with the first thing that is wrong;
    `within` is where its fields are in the input. Whether there are such owners and webhooks is not looked at."""
    name, stages = given.name.strip(), (*workspace.stages, *OUTCOMES)
    if not name:
        raise Rejected(f"{within}name", Code.REQUIRED, f"A rule has a name, which is shown as the reason. {NOTHING}")
    if given.stage not in stages:
        why = f"There is no stage {given.stage!r}; there are {', '.join(stages)}. {NOTHING}"
        raise Rejected(f"{within}stage", Code.NOT_FOUND, why)
    if given.task is given.message is given.webhook_id is None:
        why = f"It would do nothing: give it a task, a message or a webhook. {NOTHING}"
        raise Rejected(f"{within}task", Code.REQUIRED, why)
    least, currency = least_of(given, workspace, within)
    return shared.StageRule(
        name=name,
        version=version,
        stage=given.stage,
        enabled=given.enabled,
        source=given.source.strip(),
        owner=given.owner.strip(),
        amount_at_least_minor=least,
        currency=currency,
        task=task_of(given.task, f"{within}task.") if given.task else None,
        message=message_of(given.message, f"{within}message.") if given.message else None,
        webhook_id=given.webhook_id,
    )


def require_there(rule: shared.StageRule, state: State, workspace_id: Id, within: str = "rule.") -> None:
    """Raises Rejected when an owner or a webhook that a rule names is not there."""
    require_assignable(state, workspace_id, rule.owner, f"{within}owner")
    if rule.task:
        require_assignable(state, workspace_id, rule.task.owner, f"{within}task.owner")
    kept = state.get(WebhookKept, rule.webhook_id) if rule.webhook_id else None
    if rule.webhook_id and (kept is None or kept.removed):
        why = f"There is no webhook {rule.webhook_id}: `webhookAdd` adds one. {NOTHING}"
        raise Rejected(f"{within}webhookId", Code.NOT_FOUND, why)


def least_of(given: Any, workspace: Workspace, within: str) -> tuple[int | None, str]:
    least = given.amount_at_least
    if least is None:
        return None, ""
    if least.minor > LARGEST_SUM:
        raise Rejected(f"{within}amountAtLeast.minor", Code.INVALID, f"A sum is at most {LARGEST_SUM}. {NOTHING}")
    try:
        return least.minor, currency_of(least.currency) if least.currency else workspace.currency
    except Malformed as error:
        raise Rejected(f"{within}amountAtLeast.currency", Code.INVALID, f"{error} {NOTHING}") from None


def task_of(given: Any, within: str) -> shared.RuleTask:
    title = require_text(given.title, f"{within}title")
    return shared.RuleTask(title, given.owner.strip(), given.due_hours, given.due_days)


def message_of(given: Any, within: str) -> shared.RuleMessage:
    """Every place of a template has a value, and every variable is one that there is."""
    template = given.template
    if template is None:
        return shared.RuleMessage(require_text(given.text, f"{within}text"))
    text = require_text(given.text, f"{within}text") if given.text.strip() else ""
    name = require_text(template.name, f"{within}template.name")
    language = require_text(template.language, f"{within}template.language")
    says = template.text.strip()
    if not says:
        raise Rejected(f"{within}template.text", Code.REQUIRED, f"It may not be empty. {NOTHING}")
    places = [*places_in(says)]
    if missing := [place for place in places if not template.values.get(place, "").strip()]:
        why = f"The template's text has places without a value: {', '.join(missing)}. {NOTHING}"
        raise Rejected(f"{within}template.values", Code.REQUIRED, why)
    if unused := [place for place in template.values if place not in places]:
        why = f"The template's text has no place {{{{{unused[0]}}}}}, for which there is a value. {NOTHING}"
        raise Rejected(f"{within}template.values", Code.INVALID, why)
    values = {place: require_text(template.values[place], f"{within}template.values") for place in places}
    return shared.RuleMessage(text, shared.Template(name, language, values), says)


def require_text(text: str, field: str) -> str:
    """Returns it without blanks around it. Raises Rejected when it is empty or names a variable that there is not."""
    if not (text := text.strip()):
        raise Rejected(field, Code.REQUIRED, f"It may not be empty. {NOTHING}")
    if wrong := mistake(text):
        raise Rejected(field, Code.INVALID, f"{wrong} {NOTHING}")
    return text


def refuse_in_use(names: Iterable[str], what: str, field: str) -> None:
    """Raises Rejected when there are rules that name what is to go."""
    if rules := ", ".join(repr(name) for name in sorted(names)):
        why = f"Stage rules name {what}: {rules}. {NOTHING} Change or remove them first."
        raise Rejected(field, Code.IN_USE, why)
