"""One row per workspace: the assignment rules that are in force."""

from msgspec import json

from crm.envelope import Row
from crm.events import AssignmentRulesSet
from crm.projection import projection
from crm.scalars import Id, Micros


class AssignmentRulesRow(Row, frozen=True, gc=False):
    """The assignment rules of a workspace: who gets which new deal. The first that fits decides."""

    assignment_rules_id: Id  # of the event that set the first rules
    version: int  # grows by one each time; give it as expectedVersion
    rules: tuple[str, ...]  # JSON text of each AssignmentRule
    set_by: str
    set_at: Micros


@projection(key="assignment_rules_id", version=1)
def assignment_rules(_: None, event: AssignmentRulesSet) -> AssignmentRulesRow:
    id = event.assignment_rules_id or event.meta.id
    rules = tuple(json.encode(rule).decode() for rule in event.rules)
    return AssignmentRulesRow(id, event.version, rules, event.meta.actor, event.meta.occurred_at)
