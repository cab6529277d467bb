"""A file is sent from the page, its columns are corrected, it is imported, and taken back."""

import pytest

from tests.support.browser import CHROMIUM
from tests.support.console import ConsolePage
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
ROWS = "Хто,Тел,Примітка\nІмпорт Сторінковий,099 601 80 01,опт\nДруга Сторінкова,099 601 80 02,роздріб\nБез Цифр,abc,\n"
FORM = "document.querySelector('#import form.settings')"
CARD = "query($phone: String!) { caller(phone: $phone) { contact { name fields } } }"


def phase(console: ConsolePage, text: str) -> None:
    console.wait_for(f"document.querySelector('#import p').innerText.startsWith({text!r})")


def press(console: ConsolePage, label: str) -> None:
    """Presses the button; the page is shown again."""
    button = f"[...document.querySelectorAll('#import button')].find(one => one.innerText == {label!r})"
    console.wait_for(button)
    console.reload_by(f"{button}.click()", console.evaluate("location.pathname").removeprefix("/console/"))


def test_a_file_is_sent_corrected_imported_and_taken_back(stack: RunningStack, console: ConsolePage) -> None:
    console.page.call(
        "Network.setCookie", name="potik_language", value="en", url=f"{console.address}/console", path="/console"
    )
    console.open("imports", "document.querySelector('#upload')")
    console.evaluate(f"""{{ const given = new DataTransfer(), form = document.querySelector('#upload');
      given.items.add(new File([{ROWS!r}], 'clients.csv')); form.elements.file.files = given.files;
      form.requestSubmit() }}""")
    console.wait_for("location.pathname.startsWith('/console/imports/') && document.querySelector('#import')")
    phase(console, "checked")
    console.wait_for(f"{FORM} && {FORM}.elements['target-1'].value == 'fields.Хто'")
    assert console.violations() == []
    console.evaluate(f"{FORM}.elements['target-1'].value = 'name'; {FORM}.elements['target-3'].value = ''")
    press(console, "Check again")
    console.wait_for(
        f"{FORM}?.elements['target-1'].defaultValue == 'name' && !{FORM}.elements['target-3'].defaultValue"
    )
    console.shoot("import")
    press(console, "Import")
    phase(console, "done")
    stack.settle()
    card = {"caller": {"contact": {"name": "Імпорт Сторінковий", "fields": {}}}}
    assert stack.ask(CARD, phone="+380996018001") == card
    press(console, "What would an undo take back?")
    phase(console, "the undo is checked")
    assert "Cards that go: " in console.evaluate("document.querySelector('#import').innerText")
    press(console, "Take it back")
    phase(console, "taken back")
    stack.wait_for_answer(CARD, {"caller": {"contact": None}}, phone="+380996018001")


def test_a_page_elsewhere_sends_no_file(stack: RunningStack, address: str) -> None:
    sent = stack.http.post(
        f"{address}/console/imports?name=a.csv",
        content=b"name\nA\n",
        headers={"cookie": f"potik={stack.token}", "sec-fetch-site": "cross-site"},
    )
    assert sent.status_code == 403 and "Nothing was changed" in sent.text
