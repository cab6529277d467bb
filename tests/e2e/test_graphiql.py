"""GraphiQL in a real browser, on a real stack: a query, a subscription and the docs, offline and under its policy."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.connectors import rehearse
from tests.support.browser import CHROMIUM, Page, chromium
from tests.support.running_stack import Stack

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
RESULT = "document.querySelector('.result-window')?.innerText.replaceAll('\\u200b', '')"


@pytest.fixture(scope="module")
def page(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with chromium(tmp_path_factory.mktemp("browser")) as page:
        page.call("Page.navigate", url=f"{stack.graphql_url}#token={stack.token}")
        page.sees("document.querySelector('.graphiql-query-editor .CodeMirror')")
        clicks(page, "Show Documentation Explorer")
        page.sees("document.querySelector('.graphiql-doc-explorer-root-type')")  # the schema is there
        yield page


def clicks(page: Page, named: str) -> None:
    """A button by its label, or by what it begins with."""
    page.runs(
        f"""[...document.querySelectorAll('button')]
        .find(b => (b.getAttribute('aria-label') || b.innerText).startsWith({named!r})).click()"""
    )


def runs(page: Page, example: str, operation: str) -> None:
    page.runs(
        "document.querySelector('.examples') ? 0 : document.querySelector('[aria-label=\"Show Examples\"]').click()"
    )
    page.sees("document.querySelector('.examples')")
    clicks(page, example)
    page.sees(f"document.title.startsWith({operation!r})")
    page.runs("document.querySelector('.graphiql-execute-button').click()")


def test_a_query_is_answered(stack: Stack, page: Page) -> None:
    stack.takes("form", rehearse.form({"Name": "Гість Браузера", "Phone": "067 700 11 22"}))
    stack.settle()
    runs(page, "Everything on a card", "Card")
    assert page.sees(f"{RESULT}.includes('Гість Браузера')")


def test_a_subscription_is_told(stack: Stack, page: Page) -> None:
    before = stack.subscribers()
    runs(page, "A telephone rings", "Ringing")
    stack.until_subscribed(before)
    success = stack.deliver("binotel", rehearse.binotel_call("receivedTheCall", 77001, "0677001122"))
    assert success.status_code == 200
    assert page.sees(f"{RESULT}.includes('+380677001122')")
    page.runs("document.querySelector('.graphiql-execute-button').click()")


def test_the_docs_know_every_query(stack: Stack, page: Page) -> None:
    clicks(page, "Show Documentation Explorer")
    page.sees("document.querySelector('.graphiql-doc-explorer-root-type')")
    page.runs("document.querySelector('.graphiql-doc-explorer-type-name').click()")
    fields = stack.ask('{ __type(name: "Query") { fields { name } } }')["__type"]["fields"]
    shown = page.sees("document.querySelector('.graphiql-doc-explorer-content').innerText.includes('caller') && "
                      "document.querySelector('.graphiql-doc-explorer-content').innerText")  # fmt: skip
    assert [field["name"] for field in fields if field["name"] not in shown] == []


def test_a_dialog_and_the_query_builder_open(page: Page) -> None:
    clicks(page, "Open settings dialog")
    page.sees("document.querySelector('.graphiql-dialog-section')")
    page.runs("document.querySelector('.graphiql-dialog-close').click()")
    clicks(page, "Show GraphiQL Explorer")
    page.sees("document.querySelector('.graphiql-explorer-root')")


def test_nothing_was_refused_or_asked_of_others(stack: Stack, page: Page, tmp_path: Path) -> None:
    """Runs last, over all that the tests above did. A planted script is refused, so a refusal would be seen."""
    assert refusals(page) == [] and page.told("Runtime.exceptionThrown") == []
    here = urlsplit(stack.graphql_url).netloc
    asked = [urlsplit(told["request"]["url"]) for told in page.told("Network.requestWillBeSent")]
    assert {url.netloc for url in asked if url.scheme != "data"} == {here}
    assert page.runs("location.href") == stack.graphql_url, "the token stays out of the address"
    page.runs("document.body.append(Object.assign(document.createElement('script'), {text: 'planted = 1'}))")
    assert page.runs("typeof planted") == "undefined" and len(refusals(page)) == 1


def refusals(page: Page) -> list[str]:
    """What the content security policy has not let through, and what could not be loaded."""
    issues = [told["issue"] for told in page.told("Audits.issueAdded")]
    wrong = [told["entry"]["text"] for told in page.told("Log.entryAdded") if told["entry"]["level"] == "error"]
    return [str(i["details"]) for i in issues if i["code"] == "ContentSecurityPolicyIssue"] or wrong
