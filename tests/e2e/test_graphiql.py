"""GraphiQL in a real browser, on a real stack: a query, a subscription and the docs, offline and under its policy."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support import rehearse
from tests.support.browser import CHROMIUM, Page, chromium
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
RESULT = "document.querySelector('.result-window')?.innerText.replaceAll('\\u200b', '')"


@pytest.fixture(scope="module")
def page(stack: RunningStack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        page.call("Page.navigate", url=f"{stack.graphql_url}#token={stack.token}")
        page.wait_for("document.querySelector('.graphiql-query-editor .CodeMirror')")
        clicks(page, "Show Documentation Explorer")
        page.wait_for("document.querySelector('.graphiql-doc-explorer-root-type')")  # the schema is there
        yield page


def clicks(page: Page, named: str) -> None:
    """Clicks a button by its label or the label's beginning."""
    page.evaluate(
        f"""[...document.querySelectorAll('button')]
        .find(b => (b.getAttribute('aria-label') || b.innerText).startsWith({named!r})).click()"""
    )


def evaluate(page: Page, example: str, operation: str) -> None:
    page.evaluate(
        "document.querySelector('.examples') ? 0 : document.querySelector('[aria-label=\"Show Examples\"]').click()"
    )
    page.wait_for("document.querySelector('.examples')")
    clicks(page, example)
    page.wait_for(f"document.title.startsWith({operation!r})")
    page.evaluate("document.querySelector('.graphiql-execute-button').click()")


def test_a_query_is_answered(stack: RunningStack, page: Page) -> None:
    stack.accepts("form", rehearse.form({"Name": "Гість Браузера", "Phone": "067 700 11 22"}))
    stack.settle()
    evaluate(page, "Everything about a contact", "Card")
    assert page.wait_for(f"{RESULT}.includes('Гість Браузера')")


def test_a_subscription_is_notified(stack: RunningStack, page: Page) -> None:
    before = stack.subscribers()
    evaluate(page, "Ringing calls", "Ringing")
    stack.until_subscribed(before)
    success = stack.deliver("binotel", rehearse.binotel_call("receivedTheCall", 77001, "0677001122"))
    assert success.status_code == 200
    assert page.wait_for(f"{RESULT}.includes('+380677001122')")
    page.evaluate("document.querySelector('.graphiql-execute-button').click()")


def test_the_docs_know_every_query(stack: RunningStack, page: Page) -> None:
    clicks(page, "Show Documentation Explorer")
    page.wait_for("document.querySelector('.graphiql-doc-explorer-root-type')")
    page.evaluate("document.querySelector('.graphiql-doc-explorer-type-name').click()")
    fields = stack.ask('{ __type(name: "Query") { fields { name } } }')["__type"]["fields"]
    shown = page.wait_for("document.querySelector('.graphiql-doc-explorer-content').innerText.includes('caller') && "
                      "document.querySelector('.graphiql-doc-explorer-content').innerText")  # fmt: skip
    assert [field["name"] for field in fields if field["name"] not in shown] == []


def test_a_dialog_and_the_query_builder_open(page: Page) -> None:
    clicks(page, "Open settings dialog")
    page.wait_for("document.querySelector('.graphiql-dialog-section')")
    page.evaluate("document.querySelector('.graphiql-dialog-close').click()")
    clicks(page, "Show GraphiQL Explorer")
    page.wait_for("document.querySelector('.graphiql-explorer-root')")


def test_nothing_was_refused_or_requested_from_others(stack: RunningStack, page: Page, tmp_path: Path) -> None:
    """Runs last, after the tests above. An injected script is refused, which shows that refusals are seen."""
    assert refusals(page) == [] and page.parameters_of("Runtime.exceptionThrown") == []
    here = urlsplit(stack.graphql_url).netloc
    urls = [urlsplit(event["request"]["url"]) for event in page.parameters_of("Network.requestWillBeSent")]
    assert {url.netloc for url in urls if url.scheme != "data"} == {here}
    assert page.evaluate("location.href") == stack.graphql_url, "the token stays out of the address"
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'planted = 1'}))")
    assert page.evaluate("typeof planted") == "undefined" and len(refusals(page)) == 1


def refusals(page: Page) -> list[str]:
    """Returns what the content security policy refused and what could not be loaded."""
    issues = [event["issue"] for event in page.parameters_of("Audits.issueAdded")]
    wrong = [
        event["entry"]["text"] for event in page.parameters_of("Log.entryAdded") if event["entry"]["level"] == "error"
    ]
    return [str(i["details"]) for i in issues if i["code"] == "ContentSecurityPolicyIssue"] or wrong
