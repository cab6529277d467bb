"""What other rules would have done in a past period next to what really happened."""

from typing import Any

from starlette.responses import Response

from api.console.questions import Row
from api.console.screens.rules import to
from api.console.tables import Table, download
from api.console.view import View, no_such
from api.schema.names import camel

AT_WORK = "WAITING", "RUNNING"


async def whatif(view: View) -> Response:
    found = (await view.ask("what_ifs"))["whatIfs"]
    at_work = any(one["phase"] in AT_WORK for one in found)
    return view.show("parts/trials" if view.part else "whatif", trials=found, at_work=at_work)


async def trial(view: View) -> Response:
    data = await view.ask("what_if", name=view.request.path_params["name"])
    found = no_such(next(iter(data["whatIfs"]), None))
    csv = view.given("csv")
    if make := {"deals": deals, "touched": touched, "rules": acted}.get(csv):
        return download(make(view, found), f"whatif-{csv}")
    table = owners(view, found, exact=bool(csv))
    if csv:
        return download(table, "whatif-owners")
    shown: dict[str, Any] = {"trial": found, "table": table, "acted": acted(view, found)}
    at_work = found["phase"] in AT_WORK
    if view.part and not at_work:
        return view.done()  # the whole page, with the numbers
    return view.show("parts/trying" if view.part else "trial", at_work=at_work, **shown)


async def apply(view: View) -> Response:
    """Puts the rules of a trial into force."""
    data = await view.ask("what_if", name=view.request.path_params["name"])
    rules = no_such(next(iter(data["whatIfs"]), None))["rules"] or {}
    if (assigned := rules.get("rules")) is not None:
        await view.change("set_assignment_rules", rules=[as_input(one) for one in assigned])
    for one in rules.get("stage_rules") or ():
        await view.change("define_stage_rule", rule=as_input(one))
    return to("/console/rules")


async def drop(view: View) -> Response:
    await view.run("drop_what_if", name=view.request.path_params["name"])
    return to("/console/whatif")


def as_input(rule: Row) -> Row:
    """Returns a rule of the file as GraphQL takes it; values of a template keep their keys."""
    found: Row = {}
    for name, one in rule.items():
        if name == "values":
            found[name] = [{"key": place, "value": text} for place, text in one.items()]
        elif one is not None:
            found[camel(name)] = as_input(one) if isinstance(one, dict) else one
    return found


def acted(view: View, found: Row) -> Table:
    """What each stage rule would have done."""
    _ = view.speaker.words.gettext
    names = "deals", "tasks", "messages", "webhooks", "leftOut"
    heads = [_("Rule"), _("Deals"), _("Tasks"), _("Messages"), _("Webhooks"), _("Left out")]
    rows = [[one["rule"], *(str(one[name]) for name in names)] for one in found["stageRules"]]
    return Table(heads, rows, [one["deals"] for one in found["stageRules"]])


def touched(view: View, found: Row) -> Table:
    """The deals on which stage rules would have acted."""
    _, stage = view.speaker.words.gettext, view.stage_name
    heads = ["№", _("Deal"), _("Rule"), _("Stage"), _("When"), _("What would have been done"), _("Left out")]
    rows = [
        [
            str(one["number"]),
            one["title"],
            one["rule"],
            stage(one["stage"]),
            one["at"],
            "; ".join(one["done"]),
            "; ".join(one["leftOut"]),
        ]
        for one in found["touched"]
    ]
    return Table(heads, rows, [0] * len(rows))


def owners(view: View, found: Row, exact: bool) -> Table:
    """`exact`: seconds as a number instead of words."""
    _, duration = view.speaker.words.gettext, view.speaker.duration
    rows = [
        [
            one["owner"],
            str(one["deals"]),
            str(one["wouldDeals"]),
            f"{one['wouldDeals'] - one['deals']:+d}",
            ("" if one["touchS"] is None else f"{one['touchS']:.0f}") if exact else duration(one["touchS"]),
        ]
        for one in found["owners"]
    ]
    touch = _("First touch, seconds") if exact else _("First touch")
    heads = [_("Owner"), _("Deals"), _("Would have got"), _("Difference"), touch]
    return Table(heads, rows, [one["wouldDeals"] for one in found["owners"]])


def deals(view: View, found: Row) -> Table:
    _ = view.speaker.words.gettext
    names = "number", "title", "owner", "wouldOwner", "why", "wouldWhy", "stage", "wouldStage"
    heads = ["№", _("Deal"), _("Owner"), _("Would have got it"), _("Why"), _("Why then"), _("Stage"), _("Stage then")]
    said = {"stage": view.stage_name, "wouldStage": view.stage_name}
    rows = [[said.get(name, str)(one[name]) for name in names] for one in found["changed"]]
    return Table(heads, rows, [0] * len(rows))
