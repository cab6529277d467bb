"""assignmentRulesSet: rules come into force as a whole, or not at all."""

from typing import Any

import pytest

from crm.commands import Code
from crm.events import AssignmentRulesSet, DealAssigned
from crm.shared import AssignmentRule
from crm.state import Workspace
from crm.state.entities import ONLY
from tests.support.operator_session import OperatorSession, operator_session
from tests.support.scenarios import an, form, shop

FORMS = {"name": "forms", "owners": ["anna", "borys"], "source": "form"}


def new_shop() -> OperatorSession:
    """A workspace that nobody has set rules for."""
    return operator_session(*shop())


def workspace(session: OperatorSession) -> Workspace:
    found = session.state.get(Workspace, ONLY)
    assert found
    return found


def test_rules_decide_from_now_on() -> None:
    session = new_shop().when(form("1", phones=["+380671234567"]))
    assert [e.owner for e in session.events if isinstance(e, DealAssigned)] == [""]
    session.do("assignment_rules_set", rules=[FORMS], expected_version=0)
    session.then(an(AssignmentRulesSet, version=1, rules=(AssignmentRule("forms", ("anna", "borys"), "form"),)))
    (first,) = session.events
    assert first.assignment_rules_id == first.meta.id
    session.when(form("2", phones=["+380501112233"]))
    assert [(e.owner, e.why) for e in session.events if isinstance(e, DealAssigned)] == [
        ("anna", "rule “forms” (version 1): round robin, turn 1 of 2")
    ]
    night = {"name": "night", "owners": ["olha"], "from_hour": 18, "to_hour": 9, "pick": "least_open"}
    session.do("assignment_rules_set", rules=[night, FORMS], expected_version=1)
    session.then(an(AssignmentRulesSet, version=2, assignment_rules_id=first.assignment_rules_id))
    assert workspace(session).rules[0] == AssignmentRule("night", ("olha",), from_hour=18, to_hour=9, pick="least_open")


def test_the_rules_a_workspace_was_created_with_are_followed_by_version_two() -> None:
    session = operator_session(*shop(AssignmentRule("all", ("anna",))))
    (first,) = session.every(AssignmentRulesSet)
    session.do("assignment_rules_set", rules=[FORMS])
    session.then(an(AssignmentRulesSet, version=2, assignment_rules_id=first.meta.id))


def test_no_rules_at_all_are_rules_too() -> None:
    session = operator_session(*shop(AssignmentRule("all", ("anna",)))).do("assignment_rules_set", rules=[])
    session.when(form("1", phones=["+380671234567"]))
    assert [e.why for e in session.events if isinstance(e, DealAssigned)] == [
        "nobody: the workspace has no assignment rules yet"
    ]


def test_the_same_rules_again_change_nothing() -> None:
    session = new_shop().do("assignment_rules_set", rules=[FORMS])
    session.refuses("assignment_rules_set", "", Code.UNCHANGED, rules=[FORMS])
    stale = {"rules": [], "expected_version": 0}
    assert session.refuses("assignment_rules_set", "expectedVersion", Code.VERSION_CONFLICT, **stale) == (
        "The rules are at version 1 now, and you have read 0. Nothing was changed: read them again."
    )


@pytest.mark.parametrize(
    ("rules", "code", "said"),
    [
        ([{"name": " ", "owners": []}], Code.INVALID, "Each rule has a name"),
        ([{"name": "a", "owners": [" "]}], Code.INVALID, "names an owner that is empty"),
        ([{"name": "a", "owners": ["x", "x"]}], Code.INVALID, "names an owner twice"),
        ([{"name": "a", "owners": ["x"]}, {"name": "a", "owners": []}], Code.TAKEN, "There are two rules 'a'"),
        ([{"name": "a", "owners": [], "value": "x"}], Code.INVALID, "has a value without the field"),
        ([{"name": "a", "owners": ["x" * 201]}], Code.INVALID, "more than 200 characters"),
    ],
)
def test_rules_that_make_no_sense_are_refused(rules: list[Any], code: Code, said: str) -> None:
    message = new_shop().refuses("assignment_rules_set", "rules", code, rules=rules)
    assert said in message and "Nothing was changed" in message


def test_rules_name_only_owners_who_can_get_deals() -> None:
    session = new_shop().do("owner_add", key="anna").do("owner_add", key="borys")
    session.do("owner_retire", key="borys")
    assert session.refuses("assignment_rules_set", "rules", Code.INVALID, rules=[FORMS]) == (
        "The rule 'forms': borys (borys) is retired and gets nothing new. Nothing was changed: choose another owner."
    )
    unknown = [{"name": "all", "owners": ["olena"]}]
    assert session.refuses("assignment_rules_set", "rules", Code.NOT_FOUND, rules=unknown) == (
        "The rule 'all': There is no owner 'olena' in this workspace. Nothing was changed: `ownerAdd` adds one."
    )
    session.do("assignment_rules_set", rules=[{"name": "all", "owners": ["anna"]}])
