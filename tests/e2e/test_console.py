"""The console in a real browser, on the whole stack: what a sales team does there, and what strangers cannot."""

from pathlib import Path

import httpx
import pytest

from tests.support import rehearse
from tests.support.browser import CHROMIUM, chromium
from tests.support.console import SHIFT, ConsolePage, encoded, lead
from tests.support.running_stack import RunningStack, wait_until

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="needs a browser: apt install chromium")
OURS = {"sec-fetch-site": "same-origin"}
EVIL = "<script>planted=1</script><img src=x onerror='planted=2'>\"'"
STAGE = "query($id: ID!) { deal(id: $id) { stage } }"
SCREENS = [
    "board",
    "conversations",
    "tasks",
    "numbers",
    "whatif",
    "integrations",
    "integrations/telegram",
    "rules",
    "rules/new",
    "rules/assignment",
    "webhooks",
    "quarantine",
    "operations",
    "imports",
    "operations/decide",
]


def test_a_lead_comes_onto_the_board_and_is_moved_by_keys(stack: RunningStack, console: ConsolePage) -> None:
    console.open("board", "document.querySelector('.board[data-live]')")
    deal, _ = lead(stack, "Дошка Жива", "099 601 77 01")
    tile = console.tile("Дошка Жива")
    console.wait_for(f"{tile}?.dataset.stage == 'new'")
    console.evaluate(f"{tile}.querySelector('a').focus()")
    console.key("ArrowRight", SHIFT)
    assert console.evaluate(f"{tile}.dataset.stage") == "in_progress", "painted before it is confirmed"
    console.wait_for("document.querySelector('#said button')")
    stack.wait_for_answer(STAGE, {"deal": {"stage": "in_progress"}}, id=deal)
    console.shoot("board")
    console.evaluate("document.querySelector('#said button').click()")
    console.wait_for(f"{tile}.dataset.stage == 'new' && document.querySelector('#said').innerText == ''")
    stack.wait_for_answer(STAGE, {"deal": {"stage": "new"}}, id=deal)


def test_the_demo_is_seen_on_the_board_while_it_plays(stack: RunningStack, console: ConsolePage) -> None:
    console.open("board", "document.querySelector('.board[data-live]')")
    before = console.evaluate("[...document.querySelectorAll('.tile')].map(tile => tile.id)")
    stack.terminal.run("demo")
    new = f"[...document.querySelectorAll('.tile')].filter(tile => !{before!r}.includes(tile.id))"
    console.wait_for(f"{new}.some(tile => tile.innerText.includes('Олена Коваль') && tile.dataset.stage != 'new')")
    assert console.refused() == []
    console.shoot("demo")


def test_a_move_that_fails_is_taken_back_with_the_reason(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Невдала Спроба", "099 601 77 02")
    console.open("board", console.tile("Невдала Спроба"))
    tile = console.tile("Невдала Спроба")
    console.page.call("Network.setBlockedURLs", urls=["*/stage"])
    console.evaluate(f"{tile}.querySelector('a').focus()")
    console.key("ArrowRight", SHIFT)
    console.wait_for("document.querySelector('#said').innerText")
    assert console.evaluate(f"{tile}.dataset.stage") == "new"
    console.page.call("Network.setBlockedURLs", urls=[])


def test_another_browser_sees_it(
    stack: RunningStack, console: ConsolePage, address: str, shots: Path, tmp_path: Path
) -> None:
    lead(stack, "Двоє Дивляться", "099 601 77 03")
    console.open("board", console.tile("Двоє Дивляться"))
    tile = console.tile("Двоє Дивляться")
    with chromium(tmp_path) as page:
        other = ConsolePage(page, address, shots)
        other.sign_in(stack.token)
        other.evaluate(f"{tile}.querySelector('a').focus()")
        other.key("ArrowRight", SHIFT)
        console.wait_for(f"{tile}?.dataset.stage == 'in_progress'")


def test_a_card_says_why_and_goes_back_in_time(stack: RunningStack, console: ConsolePage) -> None:
    deal, contact = lead(stack, "Олена Картка", "099 601 77 04")
    move = 'mutation($id: ID!) { dealMoveStage(input: {dealId: $id, stage: "in_progress"}) { userErrors { code } } }'
    assert stack.ask(move, id=deal)["dealMoveStage"]["userErrors"] == []
    stack.settle()
    console.open(f"deals/{deal}", "document.querySelectorAll('.timeline time').length > 1")
    console.evaluate("document.querySelector('.why').click()")
    console.wait_for("document.querySelectorAll('#why article').length == 2")
    assert "The stage was changed" in console.evaluate("document.querySelector('#why').innerText")
    console.shoot("why")
    console.evaluate("document.querySelector('#why').hidePopover()")
    console.shoot("deal")
    console.evaluate("""{ const slider = document.querySelector('.slider input[type=range]');
      slider.value = 0; slider.dispatchEvent(new Event('input', {bubbles: true})) }""")
    console.wait_for("document.querySelector('.differs')?.title.endsWith('In progress')")
    assert "New" in console.evaluate("document.querySelector('.differs').innerText")
    console.shoot("back_in_time")
    console.open(f"contacts/{contact}", "document.querySelector('.timeline time')")
    console.shoot("contact")


def test_notes_and_tasks_are_added_and_done(stack: RunningStack, console: ConsolePage) -> None:
    deal, _ = lead(stack, "Нотатка Задача", "099 601 77 05")
    console.open(f"deals/{deal}", "document.querySelector('#new-note')")
    for field, text in (("new-note", "Передзвонити ввечері"), ("new-task", "Надіслати рахунок")):
        console.evaluate(f"document.querySelector('#{field}').value = {text!r}")
        console.reload_by(f"document.querySelector('#{field}').form.requestSubmit()", f"deals/{deal}")
        console.wait_for(f"document.querySelector('main').innerText.includes({text!r})")
    console.evaluate("document.querySelector('.task form').requestSubmit()")
    console.wait_for("!document.querySelector('.task')")


def test_a_call_that_rings_is_shown_with_who_it_is(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Дзвінок Відомий", "099 601 77 06")
    console.open("tasks")
    assert stack.deliver("binotel", rehearse.binotel_call("receivedTheCall", 88001, "0996017706")).status_code == 200
    mine = "[...document.querySelectorAll('#ringing article')].find(call => call.innerText.includes('Дзвінок Відомий'))"
    console.wait_for(mine)  # other tests' calls may ring too
    assert "№" in console.evaluate(f"{mine}.innerText")
    console.shoot("ringing")
    assert stack.deliver("binotel", rehearse.binotel_call("hangupTheCall", 88001, "0996017706")).status_code == 200
    console.wait_for(f"!{mine}")


def test_search_finds_everywhere(stack: RunningStack, console: ConsolePage) -> None:
    lead(stack, "Пошукова Ярина", "099 601 77 07")
    console.open("board")
    console.key("/")
    assert console.evaluate("document.activeElement.id") == "q"
    console.page.call("Input.insertText", text="Пошукова")
    console.wait_for("document.querySelector('#hits a')?.innerText.includes('Пошукова Ярина')")
    console.shoot("search")


def test_a_webhook_is_added_and_switched_off(stack: RunningStack, console: ConsolePage) -> None:
    console.open("webhooks", "document.querySelector('#url')")
    console.evaluate("document.querySelector('#url').value = 'https://example.com/console'")
    console.evaluate("document.querySelector('#types').value = 'DealPaid'")
    console.evaluate("document.querySelector('.settings').requestSubmit()")
    console.wait_for("document.querySelector('#made code')?.innerText.startsWith('whsec_')")
    console.open("webhooks", "document.querySelector('tbody a')")
    path = console.evaluate("document.querySelector('tbody a').getAttribute('href')").removeprefix("/console/")
    console.open(path, "document.querySelector('[hx-post$=switch]')")
    console.reload_by("document.querySelector('[hx-post$=switch]').requestSubmit()", path)
    console.wait_for("document.querySelector('[name=enabled]')?.value == 'yes'")
    assert console.violations() == []
    remove = "mutation($id: ID!) { webhookRemove(input: {webhookId: $id}) { userErrors { code } } }"
    assert stack.ask(remove, id=path.partition("/")[2])["webhookRemove"]["userErrors"] == []


def test_two_cards_of_one_person_are_merged_and_taken_apart(stack: RunningStack, console: ConsolePage) -> None:
    _, kept = lead(stack, "Один Раз", "099 601 77 08")
    _, other = lead(stack, "Другий Раз", "099 601 77 09")
    console.open(f"contacts/{kept}/merge?other={other}", "document.querySelector('.sides')")
    assert "Другий Раз" in console.evaluate("document.querySelector('.sides').innerText")
    console.shoot("merge")
    console.evaluate("document.querySelector('.sides ~ form').requestSubmit()")
    console.page.wait_until_at(f"/console/contacts/{kept}")
    merged = "query($id: ID!) { contact(id: $id) { mergedInto } }"
    stack.wait_for_answer(merged, {"contact": {"mergedInto": kept}}, id=other)
    console.open(f"contacts/{other}", "document.querySelector('[hx-post$=unmerge]')")
    console.evaluate("document.querySelector('[hx-post$=unmerge]').click()")
    stack.wait_for_answer(merged, {"contact": {"mergedInto": None}}, id=other)


def test_what_strangers_write_is_shown_harmless(stack: RunningStack, console: ConsolePage) -> None:
    deal, contact = lead(stack, f"Зло {EVIL}", "099 601 77 10")
    for path in ("board", f"deals/{deal}", f"contacts/{contact}", f"search?q={encoded('Зло')}"):
        console.open(path, "document.body.innerText.includes('<script>planted')")
        assert console.evaluate("typeof planted") == "undefined"
        assert console.refused() == []
    console.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'planted = 1'}))")
    assert console.evaluate("typeof planted") == "undefined" and len(console.refused()) == 1, "a refusal is seen"


@pytest.mark.parametrize("language", ["uk", "en"])
def test_axe_finds_nothing(stack: RunningStack, console: ConsolePage, language: str) -> None:
    deal, contact = lead(stack, "Доступність", "099 601 77 11")
    console.page.call(
        "Network.setCookie", name="potik_language", value=language, url=f"{console.address}/console", path="/console"
    )
    for screen in [*SCREENS, f"deals/{deal}", f"contacts/{contact}"]:
        console.open(screen)
        assert console.evaluate("document.documentElement.lang") == language
        assert console.violations() == [], screen
        assert console.refused() == [], screen
        console.shoot(f"{screen.removesuffix(deal).removesuffix(contact).rstrip('/').replace('/', '-')}-{language}")
    console.evaluate("document.querySelector('#q').previousElementSibling.remove()")
    console.evaluate("document.querySelector('#q').placeholder = ''")
    assert console.evaluate("axe.run().then(found => found.violations.length)") == 1, "axe looks"


def test_a_stranger_has_to_sign_in(stack: RunningStack, address: str) -> None:
    page = stack.http.get(f"{address}/console/board")
    assert (page.status_code, page.headers["location"]) == (303, "/console/sign-in")
    wrong = stack.http.post(f"{address}/console/sign-in", data={"token": "crm_live_wrong"}, headers=OURS)
    assert wrong.status_code == 401 and "This token is unknown" in wrong.text
    right = stack.http.post(f"{address}/console/sign-in", data={"token": stack.token}, headers=OURS)
    cookie = right.headers["set-cookie"]
    assert right.status_code == 303 and "HttpOnly" in cookie and "SameSite=lax" in cookie and "Path=/console" in cookie


def test_another_site_changes_nothing(stack: RunningStack, address: str) -> None:
    deal, _ = lead(stack, "Чужий Сайт", "099 601 77 12")
    cookies = {"cookie": f"potik={stack.token}"}
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}, {}):
        answer = stack.http.post(
            f"{address}/console/deals/{deal}/stage", data={"stage": "paid"}, headers=cookies | headers
        )
        assert (answer.status_code, answer.text) == (
            403,
            "This request did not come from a page of the console. Nothing was changed.",
        )
    assert stack.ask(STAGE, id=deal)["deal"]["stage"] == "new"


def test_who_may_only_read_is_shown_no_forms(stack: RunningStack, address: str) -> None:
    deal, _ = lead(stack, "Лише Читати", "099 601 77 13")
    cookies = {"cookie": f"potik={stack.terminal.run_json('token create --name reader --scope read')['token']}"}

    def answer() -> httpx.Response:
        return stack.http.get(f"{address}/console/deals/{deal}", headers=cookies)

    wait_until(lambda: None if answer().status_code == 200 else "the token is not known yet")
    page = answer()
    assert page.status_code == 200 and "new-note" not in page.text and '<select name="stage"' not in page.text
    refused = stack.http.post(f"{address}/console/deals/{deal}/stage", data={"stage": "paid"}, headers=cookies | OURS)
    assert refused.status_code == 403 and "lacks the scope" in refused.text


def test_seven_tabs_follow_by_one_connection(stack: RunningStack, console: ConsolePage) -> None:
    """A browser has six connections for a server: with one for each tab, the seventh would show nothing."""
    tabs = [console.another() for _ in range(7)]
    for tab in tabs:
        tab.open("board", "document.querySelector('.board[data-live]')")
    lead(stack, "Сім Вкладок", "099 601 77 14")
    for tab in tabs:
        tab.wait_for(tab.tile("Сім Вкладок"))
