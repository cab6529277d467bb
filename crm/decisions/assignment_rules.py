"""What assignment rules may look like before they are set."""

from collections.abc import Sequence

from crm.commands import Code, Rejected
from crm.decisions.case import State
from crm.decisions.owners import require_assignable
from crm.scalars import Id
from crm.shared import AssignmentRule

PICKS = ("round_robin", "least_open", "first")
MOST_RULES, MOST_OWNERS = 100, 200
LONGEST = 200  # characters of any text of a rule
FIELD = "rules"  # the field of the command that they are given in


def require_valid(state: State, workspace: Id, rules: Sequence[AssignmentRule]) -> None:
    """Raises Rejected with the first rule that is wrong, and what is wrong with it."""
    if len(rules) > MOST_RULES:
        raise Rejected(FIELD, Code.INVALID, f"A workspace has at most {MOST_RULES} rules. Nothing was changed.")
    names = [rule.name for rule in rules]
    for rule in rules:
        if wrong := mistake(rule):
            raise Rejected(FIELD, Code.INVALID, f"{wrong} Nothing was changed.")
        if names.count(rule.name) > 1:
            why = f"There are two rules {rule.name!r}. Nothing was changed: the name tells which rule chose an owner."
            raise Rejected(FIELD, Code.TAKEN, why)
        for owner in rule.owners:
            try:
                require_assignable(state, workspace, owner, FIELD)
            except Rejected as refusal:
                raise Rejected(FIELD, refusal.code, f"The rule {rule.name!r}: {refusal.message}") from None


def mistake(rule: AssignmentRule) -> str:
    """Returns what is wrong with a rule by itself, as a sentence; empty when nothing is."""
    texts = (rule.name, rule.source, rule.field, rule.value, *rule.owners)
    if not rule.name or rule.name != rule.name.strip():
        return "Each rule has a name, without blanks around it."
    if any(len(text) > LONGEST for text in texts) or len(rule.owners) > MOST_OWNERS:
        return f"The rule {rule.name!r} has a text of more than {LONGEST} characters, or over {MOST_OWNERS} owners."
    if any(not owner or owner != owner.strip() for owner in rule.owners):
        return f"The rule {rule.name!r} names an owner that is empty or has blanks around it."
    if len(set(rule.owners)) < len(rule.owners):
        return f"The rule {rule.name!r} names an owner twice."
    if rule.value and not rule.field:
        return f"The rule {rule.name!r} has a value without the field that it is the value of."
    if rule.pick not in PICKS:
        return f"The rule {rule.name!r} has the pick {rule.pick!r}. Choose one of {', '.join(PICKS)}."
    if not (0 <= rule.from_hour <= 24 and 0 <= rule.to_hour <= 24):
        return f"The rule {rule.name!r} has hours outside of 0 to 24."
    return ""
