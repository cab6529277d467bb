"""Stage rules of a workspace from a terminal: in the form of the file of rules, and in words."""

from collections.abc import Iterator, Mapping

from crm import shared
from crm.commands import Money
from crm.decisions.commands.stage_rule_define import RuleMessage, RuleTask, RuleTemplate, StageRule
from crm.scalars import Id
from crm.state import Workspace


def as_given(rule: shared.StageRule) -> StageRule:
    """Returns a rule as it is defined, by GraphQL and in a file."""
    least = rule.amount_at_least_minor
    return StageRule(
        name=rule.name,
        stage=rule.stage,
        enabled=rule.enabled,
        source=rule.source,
        owner=rule.owner,
        amount_at_least=None if least is None else Money(least, rule.currency),
        task=task_as_given(rule.task) if rule.task else None,
        message=message_as_given(rule.message) if rule.message else None,
        webhook_id=rule.webhook_id,
    )


def task_as_given(task: shared.RuleTask) -> RuleTask:
    return RuleTask(title=task.title, owner=task.owner, due_hours=task.due_hours, due_days=task.due_days)


def message_as_given(message: shared.RuleMessage) -> RuleMessage:
    if (sent := message.template) is None:
        return RuleMessage(text=message.text)
    template = RuleTemplate(name=sent.name, language=sent.language, text=message.template_text, values=sent.values)
    return RuleMessage(text=message.text, template=template)


def by_name(workspace: Workspace) -> list[shared.StageRule]:
    """Returns the rules in alphabetical order."""
    return sorted(workspace.stage_rules.values(), key=lambda rule: rule.name)


def in_words(rule: shared.StageRule) -> str:
    """Returns when a rule acts and what it does, such as "offer: task, message"."""
    does = {"task": rule.task, "message": rule.message, "webhook": rule.webhook_id}
    return f"{rule.stage}: {', '.join(what for what, there in does.items() if there)}{'' if rule.enabled else ' (off)'}"


def difference(before: Mapping[Id, shared.StageRule], after: Mapping[Id, shared.StageRule]) -> Iterator[str]:
    """Yields a line for each stage rule that is new (+), gone (-) or changed (~)."""
    was, now = ({rule.name: rule for rule in rules.values()} for rules in (before, after))
    for name in sorted(was.keys() | now.keys()):
        if name not in now:
            yield f"- stage rule {name}"
        elif was.get(name) != now[name]:
            yield f"{'~' if name in was else '+'} stage rule {name}: {in_words(now[name])}"


def id_of(workspace: Workspace, name: str) -> Id:
    """Raises ValueError when there is no such rule."""
    if (id := next((id for id, rule in workspace.stage_rules.items() if rule.name == name), None)) is None:
        there = ", ".join(rule.name for rule in by_name(workspace)) or "none"
        raise ValueError(f"There is no stage rule {name!r}; there are: {there}. Nothing was changed.")
    return id
