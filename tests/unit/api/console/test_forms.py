"""What forms say: rules as GraphQL takes them, and a form for every connector that connects it."""

import asyncio
import re
from html.parser import HTMLParser
from typing import Any

import msgspec
import pytest

from api.commands.inputs import as_builtins, input_type
from api.commands.whatif import WhatIfRules
from api.console.questions import Declined
from api.console.screens import whatif
from api.console.screens.imports import options_in
from api.console.screens.integrations import connect, integrations, settings_in
from api.console.screens.rule_forms import assignment_rules_in, stage_rule_in
from api.schema.integrations import setting_of
from crm.connector_catalogue import ConnectorEntry, catalogue
from crm.connector_settings import check_settings
from crm.decisions.commands.stage_rule_define import StageRule
from crm.whatif import Rules
from tests.unit.api.console.test_screens import view

SAMPLES = {"country": "UA", "currency": "UAH", "number": "7", "yes or no": "no", "text": "text"}
WHOLE = {
    "name": "offer",
    "stage": "in_progress",
    "enabled": "yes",
    "source": "form",
    "owner": "anna",
    "amount": "1 000,50",
    "currency": "UAH",
    "task": "Pack {deal_number}",
    "task_owner": "borys",
    "due_hours": "4",
    "due_days": "2",
    "message": "Hello",
    "template_name": "ready",
    "template_language": "uk",
    "template_text": "{{1}}",
    "template_values": "1 = {contact_name}\n",
    "webhook": "00000000-0000-4000-8000-000000000001",
}


class Fields(HTMLParser):
    """The fields of a page's forms that post: by the address, the names, and which of them are required."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, bool]] = {}
        self.form: dict[str, bool] = {}
        self.labels: set[str] = set()
        self.ids: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self.form = self.forms.setdefault(given.get("hx-post") or "", {})
        if tag == "label":
            self.labels.add(given.get("for") or "")
        if tag in ("input", "select", "textarea") and given.get("name"):
            self.form[str(given["name"])] = "required" in given
            self.ids.append(str(given.get("id")))


def camel(text: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), text)


def test_a_whole_stage_rule() -> None:
    rule = stage_rule_in(WHOLE)
    assert rule["amountAtLeast"] == {"minor": 100_050, "currency": "UAH"}
    assert rule["task"] == {"title": "Pack {deal_number}", "owner": "borys", "dueHours": 4, "dueDays": 2}
    template: dict[str, Any] = {"name": "ready", "language": "uk", "text": "{{1}}"}
    template |= {"values": [{"key": "1", "value": "{contact_name}"}]}
    assert rule["message"] == {"text": "Hello", "template": template}
    assert rule.keys() == {camel(name) for name in StageRule.__struct_fields__}, "the form has every field"
    assert rule["webhookId"] == WHOLE["webhook"]


def test_what_is_left_empty_is_left_out() -> None:
    rule = stage_rule_in({"name": "x", "stage": "new", "task": "Call"})
    assert rule == {
        "name": "x",
        "stage": "new",
        "enabled": False,
        "source": "",
        "owner": "",
        "task": {"title": "Call", "owner": "", "dueHours": 0, "dueDays": 0},
    }


@pytest.mark.parametrize(("name", "value"), [("due_hours", "-1"), ("due_days", "soon"), ("amount", "many")])
def test_a_number_that_is_none_is_declined(name: str, value: str) -> None:
    with pytest.raises(Declined, match="Nothing was changed"):
        stage_rule_in(WHOLE | {name: value})


def test_assignment_rules_go_by_their_numbers() -> None:
    given = {"place.1": "2", "name.1": "rest", "owners.1": "petro, iryna", "pick.1": "least_open"}
    given |= {"place.2": "1", "name.2": "evenings", "owners.2": "olha", "from.2": "18", "to.2": "9"}
    given |= {"place.3": "3", "name.3": "", "owners.3": "nobody"}
    found = [
        (one["name"], one["owners"], one["fromHour"], one["toHour"], one["pick"]) for one in assignment_rules_in(given)
    ]
    assert found == [("evenings", ["olha"], 18, 9, "round_robin"), ("rest", ["petro", "iryna"], 0, 24, "least_open")]


def test_a_rule_of_a_trial_is_defined_as_it_was_tried() -> None:
    """What the form says, the trial keeps in the form of the file, and that is put into force again."""
    rule = stage_rule_in(WHOLE)
    kept = msgspec.convert(
        {"stage_rules": [{"name": "offer", "stage": "new", "task": {"title": "Call", "due_hours": 4}}]}, Rules
    )
    back = whatif.as_input(msgspec.to_builtins(kept.stage_rules)[0])
    assert back["task"] == {"title": "Call", "owner": "", "dueHours": 4, "dueDays": 0}
    assert back.keys() - {"enabled"} <= rule.keys()
    values = whatif.as_input({"template": {"values": {"due_hours": "{amount}"}}})
    assert values == {"template": {"values": [{"key": "due_hours", "value": "{amount}"}]}}
    assert as_builtins(input_type(WhatIfRules)(), WhatIfRules) == {}


def shown_of(entry: ConnectorEntry) -> dict[str, Any]:
    """Returns a connector as GraphQL shows it."""
    return {
        "name": entry.name,
        "title": entry.title,
        "family": entry.family,
        "secret": entry.secret or None,
        "secretRequired": entry.needs_secret,
        "oauth": entry.oauth is not None,
        "connections": 0,
        "settings": [vars(setting_of(one)) for one in entry.settings],
    }


def test_every_connector_is_offered_in_a_family(monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask(_: str, **__: Any) -> Any:
        return {"integrations": {"nodes": []}, "connectors": [shown_of(one) for one in catalogue().values()]}

    looked = view("uk", True)
    monkeypatch.setattr(looked, "ask", ask)
    page = bytes(asyncio.run(integrations(looked)).body).decode()
    offered = re.findall(r'href="/console/integrations/([\w-]+)"', page)
    assert sorted(offered) == sorted(catalogue())


@pytest.mark.parametrize("name", sorted(catalogue()))
def test_every_connector_has_a_form_that_connects_it(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A family of settings, such as `stage.<status>`, had no field at all, and a link for OAuth no form."""
    entry = catalogue()[name]
    shown = shown_of(entry)

    async def ask(_: str, **__: Any) -> Any:
        return {"connectors": [shown]}

    looked = view("uk", True)
    monkeypatch.setattr(looked, "ask", ask)
    looked.request.scope["path_params"] = {"name": name}
    page = Fields(bytes(asyncio.run(connect(looked)).body).decode())
    fields = page.forms[f"/console/integrations/{name}"]
    assert {id for id in page.ids if id not in ("None", "q")} <= page.labels, "each field has a label"
    assert len(page.ids) == len(set(page.ids)), "no id is there twice"
    given = {"secret": "secret"} if "secret" in fields else {}
    for one in entry.settings:
        value = one.choices[0] if one.choices else one.example or SAMPLES[one.kind]
        if one.prefix:
            given[f"many.{one.prefix}"] = f"key = {value}"
        elif one.fits(value):
            given[f"set.{one.name}"] = value
        else:
            assert not one.required, f"{one.name} has no example that fits"
    assert given.keys() <= fields.keys()
    assert {field for field, required in fields.items() if required} == {
        f"set.{one.name}" for one in entry.settings if one.required
    }
    check_settings(name, entry.settings, {one["key"]: one["value"] for one in settings_in(given)})
    assert (f"/console/integrations/{name}/authorize" in page.forms) == (entry.oauth is not None)


def test_a_file_keeps_its_columns_in_order_and_an_empty_one_is_left_out() -> None:
    form = {"record": "contact", "existing": "fill", "charset": "cp1251", "column-1": "Хто", "target-1": "name"}
    said = options_in(form | {"column-2": "Примітка", "target-2": ""})["options"]
    assert said["columns"] == [{"name": "Хто", "target": "name"}, {"name": "Примітка", "target": ""}]
    assert {said["record"], said["existing"], said["charset"], said["sheet"]} == {"contact", "fill", "cp1251", ""}


def test_a_button_without_a_form_leaves_the_options_as_they_were() -> None:
    assert options_in({}) == {}
