"""/form.js in a real browser, on a static page of another origin under a strict policy."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from crm.facts import FormSubmitted
from tests.support.browser import CHROMIUM, Page, chromium
from tests.support.form_site import KEY, FormSite, form_site
from tests.support.tools import MODULES, ROOT

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
POLICY = "default-src 'none'; script-src {intake}; connect-src {intake}; form-action 'self'; base-uri 'none'"
SHADOW = "[...document.querySelectorAll('*')].find(e => e.shadowRoot)?.shadowRoot"
STATUS = f"{SHADOW}?.querySelector('[role=status]').textContent"
SHOWN, OWN = (
    snippet.replace("https://crm.example.com", "{intake}")
    for snippet in re.findall(
        r"^```html\n(.*?)^```", (ROOT / "docs" / "widget.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
)
PAGE = """<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>Kitchens</title></head>
<body><main><h1>Kitchens</h1>{body}</main></body></html>"""
SCRIPT = '<script src="{intake}/form.js" data-key="{key}" %s async></script>'


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture
def site() -> Iterator[FormSite]:
    with form_site() as site:
        site.policy = POLICY
        yield site


@pytest.fixture
def page(browser: Page) -> Iterator[Page]:
    """Each test begins online, with an empty list of events."""
    browser.events.clear()
    yield browser
    offline(browser, False)
    browser.call("Page.navigate", url="about:blank")


def opened(site: FormSite, page: Page, body: str, lang: str = "en", at: str = "/", query: str = "") -> None:
    site.pages[at] = PAGE.replace("{lang}", lang).replace("{body}", body)
    page.call("Page.navigate", url=f"{site.url}{at}{query}")
    page.wait_for_script(f"location.pathname == '{at}' && document.readyState == 'complete'")


def with_form(site: FormSite, page: Page, attributes: str = "", **about: str) -> None:
    opened(site, page, SCRIPT % attributes, **about)
    page.wait_for_script(f"{SHADOW}?.querySelector('form')")


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        page.evaluate(f"Object.assign({SHADOW}.querySelector('[name={name}]'), {{value: {json.dumps(value)}}}).name")


def submit(page: Page) -> None:
    page.evaluate(f"{SHADOW}.querySelector('button').click()")


def offline(page: Page, away: bool) -> None:
    page.call("Network.emulateNetworkConditions", offline=away, latency=0, downloadThroughput=-1, uploadThroughput=-1)


def refusals(page: Page) -> list[Any]:
    issues = [event["issue"]["details"] for event in page.parameters_of("Audits.issueAdded")]
    return [issue for issue in issues if "contentSecurityPolicyIssueDetails" in issue]


def only(site: FormSite) -> FormSubmitted:
    (fact,) = site.facts
    assert isinstance(fact, FormSubmitted)
    return fact


def test_a_page_of_another_origin_sends_a_lead(site: FormSite, page: Page) -> None:
    with_form(site, page, "data-name='landing'", query="?utm_source=google&utm_campaign=autumn&gclid=abc#secret")
    fill(page, name="Olena Koval", phone="067 123 45 67", message="A kitchen")
    submit(page)
    page.wait_for_script(f"{STATUS} == 'Thank you! We have received your message.'")
    fact = only(site)
    assert (fact.name, fact.phones[0].e164, fact.form) == ("Olena Koval", "+380671234567", "landing")
    assert fact.fields == {"message": '"A kitchen"'}
    assert fact.utm == {"source": "google", "campaign": "autumn", "gclid": "abc"}
    assert fact.page == f"{site.url}/?utm_source=google&utm_campaign=autumn&gclid=abc"
    assert fact.suspicious.startswith("It was filled in within ")  # no person types this fast
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate(f"{SHADOW}.activeElement.getAttribute('role')") == "status"
    assert refusals(page) == [] and page.parameters_of("Runtime.exceptionThrown") == []


def test_the_form_of_the_docs(site: FormSite, page: Page) -> None:
    opened(site, page, SHOWN, lang="uk")
    page.wait_for_script(f"{SHADOW}?.querySelector('form')")
    fill(page, name="Олена", phone="067 123 45 67")
    submit(page)
    page.wait_for_script(f"{STATUS}.startsWith('Дякуємо!')")
    assert only(site).name == "Олена"


@pytest.mark.parametrize("scripts", [True, False])
def test_the_page_of_the_docs_with_its_own_form(site: FormSite, page: Page, scripts: bool) -> None:
    """Without scripts the browser posts the form itself and shows what intake answers."""
    site.policy = POLICY.replace("'self'", "{intake}") if scripts else "script-src 'none'"
    opened(site, page, OWN, lang="uk")
    for name, value in (("name", "Олена"), ("phone", "067 123 45 67"), ("message", "Кухня")):
        page.evaluate(f"document.querySelector('[name={name}]').value = {json.dumps(value)}")
    page.evaluate("document.querySelector('button').click()")
    if scripts:
        page.wait_for("document.querySelector('[role=status]')?.textContent.startsWith('Дякуємо!')")
    else:
        page.wait_until_at(f"/in/{KEY}")
    fact = only(site)
    assert (fact.name, fact.phones[0].e164, fact.fields) == ("Олена", "+380671234567", {"message": '"Кухня"'})


def test_the_policy_is_in_force(site: FormSite, page: Page) -> None:
    """Shows that a refusal would be seen."""
    with_form(site, page)
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'planted = 1'}))")
    page.evaluate("document.body.append(Object.assign(document.createElement('style'), {textContent: 'p {top: 0}'}))")
    page.wait_for_script("true")
    assert page.evaluate("typeof planted") == "undefined" and len(refusals(page)) == 2
    assert page.evaluate(f"getComputedStyle({SHADOW}.querySelector('button')).backgroundColor") == "rgb(29, 78, 216)"


def test_the_keyboard_is_enough(site: FormSite, page: Page) -> None:
    with_form(site, page)
    page.evaluate(f"{SHADOW}.querySelector('[name=name]').focus()")
    for text in ("Olena Koval", "0671234567", "A kitchen"):
        page.call("Input.insertText", text=text)
        press(page, "Tab", 9)
    assert page.evaluate(f"{SHADOW}.activeElement.tagName") == "BUTTON"
    press(page, "Enter", 13, "\r")
    page.wait_for_script(f"{STATUS}.startsWith('Thank you!')")
    assert only(site).name == "Olena Koval"


def press(page: Page, key: str, code: int, text: str = "") -> None:
    for kind in ("keyDown", "keyUp"):
        given = {"text": text} if text and kind == "keyDown" else {}
        page.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code, **given)


def test_what_is_wrong_is_said_to_everybody(site: FormSite, page: Page) -> None:
    """The first wrong field gets the focus and is described by what is wrong with it."""
    with_form(site, page, lang="uk", attributes="data-fields='name*,phone*,email'")
    fill(page, name="Олена", phone="12", email="olena@")
    submit(page)
    field = f"{SHADOW}.activeElement"
    described = f"{SHADOW}.getElementById({field}.getAttribute('aria-describedby')).textContent"
    assert page.evaluate(f"{field}.name") == "phone"
    assert page.evaluate(described) == "Введіть номер телефону, наприклад +380 67 123 45 67."
    assert page.evaluate(STATUS) == "Перевірте виділені поля."
    invalid = f"[...{SHADOW}.querySelectorAll('[aria-invalid=true]')].map(field => field.name)"
    assert page.evaluate(invalid) == ["phone", "email"]
    assert site.facts == []
    fill(page, phone="067 123 45 67", email="")
    submit(page)
    page.wait_for_script(f"{STATUS} == 'Дякуємо! Ми отримали вашу заявку.'")
    assert page.evaluate(invalid) == [] and only(site).phones[0].e164 == "+380671234567"


@pytest.mark.parametrize("lang", ["uk", "en", "de"])
def test_axe_finds_nothing(site: FormSite, page: Page, lang: str) -> None:
    """WCAG 2.2 AA and best practices, before anything is typed and with errors."""
    site.policy = ""  # axe is put into the page
    with_form(
        site,
        page,
        lang=lang,
        attributes="data-title='Kitchens to order' data-fields='name*,phone*,size:Size=S|M,message'",
    )
    page.evaluate((MODULES / "axe-core" / "axe.min.js").read_text("utf-8") + ";0")
    for wrong in (False, True):
        if wrong:
            submit(page)
        found = page.evaluate("axe.run().then(found => found.violations.map(one => one.id + one.nodes[0].html))")
        assert found == []
    page.evaluate(f"{SHADOW}.querySelector('label').remove()")  # shows that axe looks inside
    assert page.evaluate("axe.run().then(found => found.violations.map(one => one.id))") != []


def test_without_a_network_it_is_kept_and_sent_later_once(site: FormSite, page: Page) -> None:
    with_form(site, page, lang="uk")
    offline(page, True)
    fill(page, name="Олена", phone="067 123 45 67")
    submit(page)
    page.wait_for_script(f"{STATUS}.startsWith('Немає зв’язку. Заявку збережено')")
    assert site.facts == [] and page.evaluate("localStorage.length") == 1
    offline(page, False)
    page.wait_for_script("localStorage.length == 0")
    assert only(site).name == "Олена"


def test_an_answer_that_is_lost_makes_no_second_lead(site: FormSite, page: Page) -> None:
    """Intake keeps the form, its answer does not arrive, the visitor comes back to another page of the site."""
    site.broken = "after"
    with_form(site, page)
    fill(page, name="Olena", phone="067 123 45 67")
    submit(page)
    page.wait_for_script(f"{STATUS}.startsWith('You are offline.')")
    site.broken = ""
    with_form(site, page, at="/other")
    page.wait_for_script("localStorage.length == 0")
    first, second = site.facts
    assert first.meta.id == second.meta.id


def test_a_form_of_the_page_is_sent_and_its_own_action_is_not(site: FormSite, page: Page) -> None:
    """Fields whose names hide the form's own methods and properties do no harm; a password is not sent."""
    opened(site, page, OWN_FORM + SCRIPT % "data-form='#lead'")
    page.evaluate("document.querySelector('[name=name]').value = 'Olena Koval'")
    page.evaluate("document.querySelector('button').click()")
    page.wait_for("document.querySelector('[role=status]')?.textContent.startsWith('Thank you!')")
    fact = only(site)
    assert (fact.name, fact.emails, fact.form) == ("Olena Koval", ("olena@example.org",), "lead")
    assert fact.fields == {"submit": '"1"', "id": '"2"', "matches": '"3"', "reset": '"4"', "go": '"now"'}
    assert site.posted == [] and refusals(page) == []


OWN_FORM = """<form id="lead" method="post" action="/own"><label>Name <input name="name"></label>
<input type="hidden" name="submit" value="1"><input type="hidden" name="id" value="2"><input name="email"
value="olena@example.org" aria-label="E-mail"><input type="hidden" name="matches" value="3"><input type="hidden"
name="reset" value="4"><input type="password" name="password" value="p4ss" aria-label="Password">
<button name="go" value="now">Send</button></form>"""


@pytest.mark.parametrize("why", ["no such connection", "no script"])
def test_a_form_of_the_page_goes_to_its_own_action_when_it_cannot_be_taken(
    site: FormSite, page: Page, why: str
) -> None:
    site.pages["/own"] = PAGE.replace("{lang}", "en").replace("{body}", "taken by the site")
    script = (SCRIPT % "data-form='#lead'").replace("{key}", "unknown") if why == "no such connection" else ""
    opened(site, page, OWN_FORM + script)
    page.evaluate("document.querySelector('button').click()")
    page.wait_until_at("/own")
    assert site.facts == [] and len(site.posted) == 1
    assert b"&email=olena%40example.org&" in site.posted[0] and site.posted[0].endswith(b"&go=now")


def test_what_is_hostile_stays_text(site: FormSite, page: Page) -> None:
    evil = "<img src=x onerror=planted=1>"
    site.declare(title=evil, button=evil, fields=f"name:{evil},__proto__,constructor:{evil}={evil}|b", thanks=evil)
    site.policy = ""  # so that nothing but the script protects the page
    opened(site, page, "", at="/seed")
    for value in ("{", "null", "[]", '{"fields":7}', '{"fields":[[1]],"at":9e15}', '{"fields":[],"at":1}'):
        page.evaluate(f"localStorage.setItem({json.dumps('potik:' + KEY + ':')} + Math.random(), {json.dumps(value)})")
    with_form(site, page, query="?utm_source=" + "%3Cimg%20src%3Dx%20onerror%3Dplanted%3D1%3E")
    fill(page, name=evil, __proto__="Olena Koval, 067 123 45 67")
    submit(page)
    page.wait_for_script(f"{STATUS} == {json.dumps(evil)}")
    lead = next(fact for fact in site.facts if isinstance(fact, FormSubmitted))
    assert lead.utm == {"source": evil}
    assert page.evaluate("typeof planted") == "undefined"
    assert page.evaluate(f"{SHADOW}.querySelector('img')") is None


def test_a_page_that_is_not_in_the_list_is_doubted_and_kept(site: FormSite, page: Page) -> None:
    site.declare(origins="https://www.example.com")
    with_form(site, page)
    fill(page, name="Olena", phone="067 123 45 67")
    submit(page)
    page.wait_for_script(f"{STATUS}.startsWith('Thank you!')")
    assert only(site).suspicious == f"It came from {site.url}, which is not among the origins of the connection."
