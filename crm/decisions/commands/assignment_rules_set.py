"""assignmentRulesSet: who gets which deal from now on."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated

from msgspec import Struct

from crm import events, shared
from crm.commands import About, Code, Command, ExpectedVersion, Rejected, command
from crm.decisions.assignment_rules import MOST_OWNERS, MOST_RULES, require_valid
from crm.decisions.case import Case
from crm.decisions.workspace import workspace_of
from crm.envelope import Event

Owners = Annotated[
    tuple[str, ...], About(max_length=MOST_OWNERS, description="Keys of the owners, in order; empty: nobody gets it.")
]
Text = Annotated[str, About(max_length=200)]


class RulePick(StrEnum):
    """How a rule chooses among its owners."""

    round_robin = "round_robin"
    least_open = "least_open"
    first = "first"


class AssignmentRule(Struct, frozen=True, gc=False):
    """An assignment rule. The first that fits a new deal decides."""

    name: Annotated[str, About(max_length=200, description="Display name, shown as the reason. Each has its own.")]
    owners: Owners
    source: Annotated[
        Text, About(description="Fits deals of this source, such as form, call, chat or mail; empty: any.")
    ] = ""
    field: Annotated[Text, About(description="Fits deals whose custom field, or `utm_…` parameter, of this name …")] = (
        ""
    )
    value: Annotated[Text, About(description="… has this value, compared as text without case.")] = ""
    from_hour: Annotated[int, About(ge=0, le=24, description="Fits from this hour of the workspace's day …")] = 0
    to_hour: Annotated[int, About(ge=0, le=24, description="… until before this hour. 18 to 9 is the night.")] = 24
    pick: Annotated[RulePick, About(description="How an owner is chosen.")] = RulePick.round_robin


class AssignmentRulesSet(Command, frozen=True, gc=False, kw_only=True):
    """Sets the assignment rules, all of them: who gets which new deal. Deals that have an owner keep it."""

    rules: Annotated[
        tuple[AssignmentRule, ...],
        About(max_length=MOST_RULES, description="All rules; the first that fits decides. None: new deals get nobody."),
    ]
    expected_version: ExpectedVersion = None


@command(row="assignment_rules")
def assignment_rules_set(command: AssignmentRulesSet, case: Case) -> Iterator[Event]:
    workspace, id = workspace_of(case), case.fact.meta.workspace
    require_rules_version(workspace.rules_version, command.expected_version)
    rules = tuple(
        shared.AssignmentRule(r.name, r.owners, r.source, r.field, r.value, r.from_hour, r.to_hour, r.pick.value)
        for r in command.rules
    )
    require_valid(case.state, id, rules)
    if rules != workspace.rules or not workspace.rules_version:
        meta = case.meta(id)
        first = workspace.assignment_rules_id or meta.id
        yield events.AssignmentRulesSet(meta, workspace.rules_version + 1, rules, first)


def require_rules_version(at: int, expected: int | None) -> None:
    """Raises Rejected when the rules were set since the caller read them."""
    if expected is not None and at != expected:
        why = f"The rules are at version {at} now, and you have read {expected}. Nothing was changed: read them again."
        raise Rejected("expectedVersion", Code.VERSION_CONFLICT, why)
