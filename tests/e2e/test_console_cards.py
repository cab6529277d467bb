"""The console's cards as a newcomer finds them: an owner is chosen, a task is due, the same person is found."""

import os
import signal

import pytest

from tests.support import rehearse
from tests.support.browser import CHROMIUM
from tests.support.console import ConsolePage, encoded, lead
from tests.support.running_stack import RunningStack

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
OWNER = "query($id: ID!) { deal(id: $id) { owner tasks(first: 5) { nodes { title owner dueAt } } } }"


def test_an_owner_is_chosen_and_a_task_is_due(stack: RunningStack, console: ConsolePage) -> None:
    deal, _ = lead(stack, "Вибрати Власника", "099 601 77 22")
    before = stack.ask(OWNER, id=deal)["deal"]["owner"]
    after = "taras" if before == "olena" else "olena"
    console.open(f"deals/{deal}", "document.querySelector('form[hx-post$=owner] select')")
    choose = f"""(() => {{ const owner = document.querySelector('form[hx-post$=owner] select');
      owner.value = '{after}'; owner.dispatchEvent(new Event('change', {{bubbles: true}})) }})()"""
    console.reload_by(choose, f"deals/{deal}")
    console.wait_for(f"document.querySelector('form[hx-post$=owner] select').value == '{after}'")
    assert stack.ask(OWNER, id=deal)["deal"]["owner"] == after
    console.evaluate("document.querySelector('#new-task').value = 'Передзвонити'")
    console.evaluate("document.querySelector('[name=due]').value = '2026-01-15T10:00'")
    console.reload_by("document.querySelector('#new-task').form.requestSubmit()", f"deals/{deal}")
    console.wait_for("document.querySelector('.task .doubt')")  # it is long overdue
    (task,) = stack.ask(OWNER, id=deal)["deal"]["tasks"]["nodes"]
    assert (task["title"], task["dueAt"]) == ("Передзвонити", "2026-01-15T08:00:00+00:00")
    console.open("tasks?due=today", "document.querySelector('.lines').innerText.includes('Передзвонити')")
    console.shoot("tasks")


def test_who_waits_is_shown_to_the_owner_of_the_deal(stack: RunningStack, console: ConsolePage) -> None:
    deal, _ = lead(stack, "Моя Розмова", "099 601 77 23")
    mine = stack.ask(OWNER, id=deal)["deal"]["owner"]
    secret, text = stack.secret("telegram"), "Чи є доставка завтра?"
    own = {"phone_number": "380996017723", "first_name": "Моя", "user_id": 7723}
    stack.accepts(
        "telegram",
        rehearse.telegram_message(secret, 77231, 7723, contact=own),
        rehearse.telegram_message(secret, 77232, 7723, text),
    )
    stack.settle()
    console.open(f"conversations?owner={mine}", f"document.querySelector('main').innerText.includes('{text}')")
    assert console.violations() == []
    console.open("conversations", f"document.querySelector('main').innerText.includes('{text}')")
    console.shoot("conversations")
    other = "taras" if mine == "olena" else "olena"
    console.open(f"conversations?owner={other}")
    assert text not in console.evaluate("document.querySelector('main').innerText")


def test_a_task_that_was_done_by_mistake_is_taken_back(stack: RunningStack, console: ConsolePage) -> None:
    deal, _ = lead(stack, "Задача Назад", "099 601 79 01")
    console.open(f"deals/{deal}", "document.querySelector('#new-task')")
    console.evaluate("document.querySelector('#new-task').value = 'Помилкова'")
    console.reload_by("document.querySelector('#new-task').form.requestSubmit()", f"deals/{deal}")
    console.wait_for("document.querySelector('.task')")
    console.evaluate("document.querySelector('.task form').requestSubmit()")
    console.wait_for("document.querySelector('[hx-post$=reopen]')")
    assert console.violations() == []
    console.reload_by("document.querySelector('[hx-post$=reopen]').requestSubmit()", f"deals/{deal}")
    console.wait_for("document.querySelector('.task')?.innerText.includes('Помилкова')")


def test_without_a_connection_it_says_so_and_goes_on_when_it_is_back(stack: RunningStack, console: ConsolePage) -> None:
    """A browser gave up for good on an API that was starting, and the page sent who was signed in to the sign-in."""
    console.open("board", "document.querySelector('.board[data-live]')")
    (api,) = [part for part in stack.running().parts if part.name == "api"]
    os.kill(api.pid, signal.SIGKILL)
    console.wait_for("document.querySelector('#state').innerText")
    console.wait_for("!document.querySelector('#state').innerText")
    lead(stack, "Після Обриву", "099 601 79 02")
    console.wait_for(console.tile("Після Обриву"))
    assert console.evaluate("location.pathname") == "/console/board"


def test_a_message_of_ten_megabytes_and_a_mail_in_html_are_shown_harmless(
    stack: RunningStack, console: ConsolePage
) -> None:
    evil = "<script>planted=1</script><img src=x onerror='planted=2'>"
    mail = "\r\n".join(
        [
            *("From: Довгий Лист <long@mail.example.net>", "To: sales@example.com", "Subject: Довгий"),
            *("Message-ID: <long@mail.example.net>", "MIME-Version: 1.0", "Content-Type: text/html; charset=utf-8", ""),
            f"<html><body>{evil}<p>{'слово ' * 900_000}</p></body></html>",
        ]
    ).encode()
    assert len(mail) > 9_000_000
    assert stack.deliver("smtp", ({"content-type": "message/rfc822"}, mail)).status_code == 200
    stack.settle()
    found = stack.ask('{ contacts(first: 1, email: "long@mail.example.net") { nodes { id } } }')["contacts"]["nodes"]
    console.open(f"contacts/{found[0]['id']}", "document.querySelector('.talk li')")
    assert "слово" in console.evaluate("document.querySelector('.talk li').innerText")
    assert console.evaluate("document.querySelector('.talk').innerText.length") < 50_000
    assert console.evaluate("typeof planted") == "undefined" and console.refused() == []


def test_the_same_person_is_found_by_name_to_merge_with(stack: RunningStack, console: ConsolePage) -> None:
    _, kept = lead(stack, "Двійник Перший", "099 601 77 23")
    lead(stack, "Двійник Другий", "099 601 77 24")
    console.open(f"contacts/{kept}/merge?other={encoded('Двійник')}", "document.querySelector('.lines a')")
    assert console.evaluate("document.querySelector('.lines').innerText").count("Двійник") == 1, "not the card itself"
    assert console.violations() == []
    console.evaluate("document.querySelector('.lines a').click()")
    console.wait_for("document.querySelector('.sides')")
    assert "Двійник Другий" in console.evaluate("document.querySelector('.sides').innerText")


def test_what_happened_is_said_in_ukrainian(stack: RunningStack, console: ConsolePage) -> None:
    deal, _ = lead(stack, "Хронологія Українською", "099 601 77 25")
    cookie = {"name": "potik_language", "url": f"{console.address}/console", "path": "/console"}
    console.page.call("Network.setCookie", value="uk", **cookie)
    try:
        console.open(f"deals/{deal}", "document.querySelectorAll('.timeline time').length == 2")
        titles = console.evaluate("[...document.querySelectorAll('.timeline strong')].map(title => title.innerText)")
        assert [title.split()[0] for title in titles] == ["Відповідальний", "Відкрито"]
        assert console.evaluate("document.querySelector('[name=stage] option').innerText") == "Новий"
    finally:
        console.page.call("Network.setCookie", value="en", **cookie)


def test_an_address_that_is_no_page_says_so(stack: RunningStack, console: ConsolePage) -> None:
    for path in ("nothing", "deals/00000000-0000-4000-8000-000000000000"):
        console.open(path, "document.querySelector('nav')")
        assert console.evaluate("document.querySelector('main [role=alert]').innerText").startswith("There is no such")
