"""A page in a browser, with the whole stack: it may call, its form is answered, moved cards leave its board."""

import json

from websockets.sync.client import ClientConnection

from tests.support import rehearse
from tests.support.running_stack import RunningStack
from tests.support.timeouts import TIMEOUT

PAGE = "https://app.example.com"
BOARD = 'subscription { dealChanged(stage: ["new"]) { left deal { id title stage } } }'
BATCH = """mutation ($commands: [BatchCommandInput!]!) { batch(commands: $commands) {
  results { outcome userErrors { message } error { message } } } }"""


def heard(ws: ClientConnection, title: str) -> dict[str, object]:
    """Returns the next change of the deal with this title: other tests change others."""
    while True:
        message = json.loads(ws.recv(TIMEOUT))
        if message["type"] == "next":
            change: dict[str, object] = message["payload"]["data"]["dealChanged"]
            deal = change["deal"]
            if isinstance(deal, dict) and deal["title"] == title:
                return change


def test_a_card_that_is_moved_leaves_the_board(stack: RunningStack) -> None:
    form = rehearse.form({"Name": "Дошка Перша", "Phone": "067 711 22 33"})
    with stack.subscribed(BOARD) as ws:
        stack.accepts("form", form)
        deal = heard(ws, "Дошка Перша")["deal"]
        assert isinstance(deal, dict) and deal["stage"] == "new"
        commands = [{"key": "board", "dealMoveStage": {"dealId": deal["id"], "stage": "in_progress"}}]
        for outcome in ("DONE", "REPEATED"):
            (result,) = stack.ask(BATCH, commands=commands)["batch"]["results"]
            assert result == {"outcome": outcome, "userErrors": [], "error": None}
        while (change := heard(ws, "Дошка Перша"))["left"] is False:
            assert change["deal"] == deal  # its owner was assigned
        assert change == {"left": True, "deal": {**deal, "stage": "in_progress"}}


def test_a_page_of_a_named_origin_may_call(stack: RunningStack) -> None:
    assert stack.demo
    wanted = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "content-type"}
    form = f"{stack.intake_url}/in/{stack.demo.form}"
    for url in (stack.graphql_url, form):
        allowed = stack.http.options(url, headers=wanted)
        assert (allowed.status_code, allowed.headers["access-control-allow-origin"]) == (200, PAGE)
        refused = stack.http.options(url, headers={**wanted, "origin": "https://evil.example"})
        assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (400, None)
    body = {"name": "Сторінка", "phone": "067 711 22 34"}
    answer = stack.http.post(form, data=body, headers={"origin": PAGE})
    assert (answer.headers["access-control-allow-origin"], answer.json().keys()) == (PAGE, {"id"})
    page = stack.http.post(form, data=body, headers={"accept": "text/html", "accept-language": "uk"})
    assert (page.status_code, "<h1>Дякуємо!</h1>" in page.text) == (200, True)
    stack.settle()
