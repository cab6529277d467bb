"""What follows when a deal reaches a stage: rules listed, defined, switched, removed, and tried on the past."""

from typing import Any

from starlette.responses import Response

from api.console.questions import Row
from api.console.screens.rule_forms import assignment_rules_in, period_in, stage_rule_in
from api.console.view import View, no_such

SOURCES = "form", "call", "chat", "mail", "payment", "hand"
PICKS = "round_robin", "least_open", "first"
OUTCOMES = "won", "lost"
DAYS = 7, 30, 90, 365  # of a period that rules are tried on
SPARE = 3  # empty lines below the assignment rules
TEXTS = "id", "name", "stage", "source", "owner", "taskTitle", "taskOwner", "messageText", "templateName", "webhookId"
NEW: Row = {
    **dict.fromkeys((*TEXTS, "templateLanguage", "templateText"), ""),
    **dict.fromkeys(("version", "taskDueHours", "taskDueDays"), 0),
    "enabled": True,
    "amountAtLeast": None,
    "templateValues": {},
}
LINE = dict.fromkeys(("name", "source", "field", "value"), "")
EMPTY: Row = {**LINE, "owners": [], "fromHour": 0, "toHour": 24, "pick": PICKS[0]}


async def rules(view: View) -> Response:
    data = await view.ask("rules")
    names = {one["id"]: one["name"] or one["url"] for one in data["webhooks"]["nodes"]}
    listed = sorted(data["stageRules"]["nodes"], key=lambda one: one["name"])
    return view.show("rules", rules=listed, assignment=assigning(data), webhooks=names)


async def new(view: View) -> Response:
    return form(view, await view.ask("rules"), NEW)


async def rule(view: View) -> Response:
    """The form of one rule."""
    data = await view.ask("rules")
    return form(view, data, no_such(next((one for one in data["stageRules"]["nodes"] if one["id"] == view.id), None)))


def form(view: View, data: Row, chosen: Row) -> Response:
    stages = [stage["key"] for stage in (data["pipeline"] or {"stages": []})["stages"]]
    currency = (data["me"]["workspace"] or {}).get("currency", "")
    shown: dict[str, Any] = {
        "stages": [*stages, *(key for key in OUTCOMES if key not in stages)],
        "sources": SOURCES,
        "days": DAYS,
    }
    return view.show("rule", rule=chosen, webhooks=data["webhooks"]["nodes"], currency=currency, **shown)


async def assignment(view: View) -> Response:
    """The assignment rules as a form, to be tried or put into force."""
    data = await view.ask("rules")
    found = assigning(data)
    shown = {"version": found["version"], "sources": SOURCES, "picks": PICKS, "days": DAYS}
    return view.show("assignment", rules=[*found["rules"], *[EMPTY] * SPARE], **shown)


def assigning(data: Row) -> Row:
    return data["assignmentRules"] or {"version": 0, "rules": []}


async def define(view: View) -> Response:
    given = await view.form()
    version = given.get("version")
    await view.change("define_stage_rule", rule=stage_rule_in(given), expectedVersion=int(version) if version else None)
    return to("/console/rules")


async def switch(view: View) -> Response:
    """Switches it on or off."""
    await view.change("switch_stage_rule", stageRuleId=view.id, enabled=(await view.form()).get("enabled") == "yes")
    return view.done()


async def remove(view: View) -> Response:
    await view.change("remove_stage_rule", stageRuleId=view.id)
    return to("/console/rules")


async def set_assignment(view: View) -> Response:
    given = await view.form()
    await view.change(
        "set_assignment_rules", rules=assignment_rules_in(given), expectedVersion=int(given.get("version") or 0)
    )
    return to("/console/rules")


async def try_stage_rule(view: View) -> Response:
    given = await view.form()
    tried = {**stage_rule_in(given), "enabled": True}
    return await started(view, given, {"stageRules": [tried]}, tried["name"])


async def try_assignment(view: View) -> Response:
    given = await view.form()
    found = assignment_rules_in(given)
    return await started(view, given, {"rules": found}, ", ".join(one["name"] for one in found)[:100])


async def started(view: View, given: dict[str, str], tried: Row, label: str) -> Response:
    payload = await view.run(
        "start_what_if", rules=tried, label=label, clock=given.get("clock") or "RECORDED", **period_in(given)
    )
    return to(f"/console/whatif/{payload['whatIf']['name']}")


def to(address: str) -> Response:
    return Response(status_code=204, headers={"hx-redirect": address})
