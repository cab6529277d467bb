"""The console's rules, trials, rebuilds, connections and quarantine by the many, in a browser on the whole stack."""

import pytest

from tests.e2e.test_console_operations import CALLER, STATUS, by_an_old_connector
from tests.support.browser import CHROMIUM
from tests.support.console import ConsolePage, lead
from tests.support.running_stack import RunningStack, wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
MOVE = 'mutation($id: ID!) { dealMoveStage(input: {dealId: $id, stage: "in_progress"}) { userErrors { code } } }'
TASKS = "query($id: ID!) { deal(id: $id) { tasks(first: 9) { nodes { title } } } }"
RULES = "{ stageRules(first: 9) { nodes { name stage owner enabled taskTitle taskDueHours version } } }"
TRIALS = "query($name: String!) { whatIfs(name: $name) { phase about stageRules { rule deals tasks } deals } }"
REBUILDS = "{ rebuilds(first: 9) { names atWork problem reports { name equal changed onlyRead onlyNew } } }"
FORM = "document.querySelector('main form.settings')"


def filled(console: ConsolePage, **values: str) -> None:
    """Fills the fields of these ids; a choice that is not offered is added."""
    for id, value in values.items():
        field = f"document.getElementById({id!r})"
        option = f"new Option({value!r}, {value!r})"
        console.evaluate(f"{field}.options && {field}.add({option}); {field}.value = {value!r}")


def named_at(console: ConsolePage, beginning: str) -> str:
    """Returns what follows the beginning in the address of the page that the tab goes to."""
    console.wait_for(f"location.pathname.startsWith({beginning!r}) && document.querySelector('h1')")
    return str(console.evaluate("location.pathname")).removeprefix(beginning)


def test_a_stage_rule_is_tried_defined_switched_and_removed(
    stack: RunningStack, console: ConsolePage, address: str
) -> None:
    """By keys alone: from the list to the form, and there with Tab and Enter."""
    deal, _ = lead(stack, "Правило Етапу", "099 601 78 01")
    assert stack.ask(MOVE, id=deal)["dealMoveStage"]["userErrors"] == []
    stack.settle()
    console.open("tasks")
    console.key("r")
    console.wait_for("location.pathname == '/console/rules' && document.querySelector('a[href$=new]')")
    console.evaluate("document.querySelector('a[href$=new]').focus()")
    console.press_enter()
    console.wait_for(FORM)
    assert console.violations() == []
    filled(console, name="console offer", stage="in_progress", task="Зібрати {deal_number}", due_hours="4")
    console.evaluate("document.querySelector('[formaction$=try]').focus()")
    console.press_enter()
    name = named_at(console, "/console/whatif/")
    console.wait_for("document.querySelector('#acted ~ table')")
    (trial,) = stack.ask(TRIALS, name=name)["whatIfs"]
    (rule,) = trial["stageRules"]
    assert (trial["phase"], rule["rule"], trial["about"].partition(",")[0]) == (
        "DONE",
        "console offer",
        "console offer",
    )
    assert rule["tasks"] == rule["deals"] > 0
    assert "Правило Етапу" in console.evaluate("document.querySelector('#touched ~ table').innerText")
    assert console.violations() == [] and console.refused() == []
    console.shoot("rule_tried")
    file = stack.http.get(f"{address}/console/whatif/{name}?csv=rules", headers={"cookie": f"potik={stack.token}"})
    assert file.text.splitlines()[1] == f"console offer,{rule['deals']},{rule['deals']},0,0,0"
    assert stack.ask(TASKS, id=deal) == {"deal": {"tasks": {"nodes": []}}}, "to try changes nothing"
    console.evaluate("document.querySelector('[hx-post$=drop]').requestSubmit()")
    console.wait_for("location.pathname == '/console/whatif'")
    assert stack.ask(TRIALS, name=name) == {"whatIfs": []}
    console.open("rules/new", FORM)
    owner = "rules78"
    filled(console, name="console offer", stage="in_progress", owner=owner, task="Зібрати {deal_number}", due_hours="4")
    console.evaluate(f"{FORM}.requestSubmit()")
    console.wait_for("location.pathname == '/console/rules' && document.querySelector('tbody th a')")
    found: dict[str, object] = {
        "name": "console offer",
        "stage": "in_progress",
        "owner": owner,
        "taskTitle": "Зібрати {deal_number}",
    }
    found |= {"enabled": True, "taskDueHours": 4, "version": 1}
    assert stack.ask(RULES) == {"stageRules": {"nodes": [found]}}
    console.shoot("rules")
    console.reload_by("document.querySelector('[hx-post$=switch]').requestSubmit()", "rules")
    console.wait_for("document.querySelector('[name=enabled]')?.value == 'yes'")
    assert stack.ask(RULES)["stageRules"]["nodes"][0]["enabled"] is False
    console.evaluate("document.querySelector('tbody th a').click()")
    console.wait_for("document.querySelector('[hx-post$=remove]')")
    console.evaluate("window.confirm = () => true; document.querySelector('[hx-post$=remove]').requestSubmit()")
    console.wait_for("location.pathname == '/console/rules' && !document.querySelector('tbody')")
    assert stack.ask(RULES) == {"stageRules": {"nodes": []}}


def test_a_rule_that_is_wrong_says_so_and_stays_in_the_form(stack: RunningStack, console: ConsolePage) -> None:
    console.open("rules/new", FORM)
    filled(console, name="console wrong", task="Зібрати {nothing}")
    console.evaluate(f"{FORM}.requestSubmit()")
    console.wait_for("document.querySelector('#said').innerText.includes('{nothing}')")
    assert console.evaluate("document.getElementById('task').value") == "Зібрати {nothing}"
    assert stack.ask(RULES) == {"stageRules": {"nodes": []}}


def test_other_assignment_rules_are_tried_from_the_page(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Інший Розподіл", "099 601 78 02")
    rules = "{ assignmentRules { version } }"
    before = stack.ask(rules)
    console.open("rules/assignment", "document.querySelector('[formaction$=try]')")
    assert console.violations() == []
    console.evaluate("document.querySelectorAll('[name^=\"name.\"]').forEach(field => field.value = '')")
    console.evaluate("document.querySelector('[name=\"name.1\"]').value = 'all'")
    console.evaluate("document.querySelector('[name=\"owners.1\"]').value = 'olha78'")
    console.shoot("assignment")
    console.evaluate("document.querySelector('[formaction$=try]').click()")
    name = named_at(console, "/console/whatif/")
    console.wait_for("document.querySelector('#owners ~ table')")
    assert "olha78" in console.evaluate("document.querySelector('#owners ~ table').innerText")
    (trial,) = stack.ask(TRIALS, name=name)["whatIfs"]
    assert (trial["phase"], trial["stageRules"]) == ("DONE", [])
    assert stack.ask(rules) == before, "to try changes nothing"
    console.evaluate("document.querySelector('[hx-post$=drop]').requestSubmit()")
    console.wait_for("location.pathname == '/console/whatif'")


def test_all_that_wait_for_one_reason_are_read_again(stack: RunningStack, console: ConsolePage) -> None:
    ids = [by_an_old_connector(stack, f"Разом {n}", f"099 601 78 1{n}") for n in range(3)]
    console.open("quarantine", "document.querySelector('[hx-post$=reparse]')")
    assert console.violations() == []
    mine = "[...document.querySelectorAll('#groups ~ table tbody tr')].find(row => row.innerText.includes('KeyError'))"
    console.shoot("quarantine_groups")
    console.evaluate(f"{mine}.querySelector('form').requestSubmit()")
    console.wait_for(f"{mine}.querySelector('a[href$=quarantine]')")
    said = console.evaluate(f"{mine}.querySelector('[aria-live]').innerText")
    assert "understood now: " in said or "зрозуміли: " in said
    for n, id in enumerate(ids):
        assert stack.ask(STATUS, id=id)["quarantinedDelivery"]["status"] == "released"
        found = stack.ask_when_settled(CALLER, phone=f"099601781{n}")
        assert found == {"caller": {"contact": {"name": f"Разом {n}"}}}
    again = 'mutation { quarantineReparseMany(connection: "none", reason: "none") { read userErrors { code } } }'
    assert stack.ask(again) == {"quarantineReparseMany": {"read": 0, "userErrors": [{"code": "NOT_FOUND"}]}}


def test_a_rebuild_is_shown_with_its_comparison(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Перебудова", "099 601 78 03")
    stack.terminal.run_json("rebuild note")
    stack.terminal.run_json("rebuild note --drop-old")  # nobody keeps it up to date, and other tests wait for all
    (newest, *_) = stack.ask(REBUILDS)["rebuilds"]
    assert (newest["names"], newest["atWork"], newest["problem"]) == (["note"], False, None)
    (report,) = newest["reports"]
    assert (report["name"], report["changed"], report["onlyRead"], report["onlyNew"]) == ("note", 0, 0, 0)
    console.open("operations", "document.querySelector('#rebuilt caption')")
    assert "note" in console.evaluate("document.querySelector('#rebuilt tbody th').innerText")
    assert console.violations() == []
    console.shoot("rebuilds")


def test_a_connection_has_a_page_and_is_removed(stack: RunningStack, console: ConsolePage) -> None:
    console.open("integrations/form", FORM)
    filled(console, name="console78")
    console.evaluate(f"{FORM}.requestSubmit()")
    console.wait_for("document.querySelector('#made pre')")
    command = console.evaluate("document.querySelector('#made pre').innerText")
    assert command.startswith(f"curl {stack.intake_url}/in/")
    stack.settle()
    console.open("integrations", "document.querySelector('tbody th a')")
    console.evaluate("[...document.querySelectorAll('tbody th a')].find(link => link.innerText == 'console78').click()")
    console.wait_for("document.querySelector('[hx-post$=remove]')")
    assert console.violations() == []
    assert command.split()[1] in console.evaluate("document.querySelector('main').innerText")
    console.evaluate("window.confirm = () => true; document.querySelector('[hx-post$=remove]').requestSubmit()")
    console.wait_for("location.pathname == '/console/integrations'")
    gone = command.split()[1]
    wait_until(lambda: "it is taken" if stack.http.post(gone, data={"phone": "099 601 78 04"}).is_success else None)


def test_who_may_only_read_is_offered_nothing_to_change(stack: RunningStack, address: str) -> None:
    token = stack.terminal.run_json("token create --name reader78 --scope read")["token"]
    cookies = {"cookie": f"potik={token}"}
    first = f"{address}/console/rules"
    wait_until(lambda: None if stack.http.get(first, headers=cookies).status_code == 200 else "it is not known yet")
    for screen in ("rules", "rules/new", "rules/assignment", "whatif", "integrations/telegram"):
        page = stack.http.get(f"{address}/console/{screen}", headers=cookies)
        assert page.status_code == 200, screen
        main = page.text.partition("<main")[2]
        assert "<button" not in main and "/new" not in main, screen
    ours = {"sec-fetch-site": "same-origin"}
    given = {"name": "x", "stage": "new", "task": "x"}
    refused = stack.http.post(f"{address}/console/rules", data=given, headers=cookies | ours)
    assert refused.status_code == 403 and "lacks the scope" in refused.text
