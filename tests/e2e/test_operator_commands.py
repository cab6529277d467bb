"""Operators change data over HTTP on a running stack while facts come in; every answer is correct immediately."""

from typing import Any

from tests.support import rehearse
from tests.support.running_stack import RunningStack, wait_until

OLENA, PETRO = "+380674000101", "+380674000102"


def do(stack: RunningStack, mutation: str, key: str, selected: str, **given: Any) -> Any:
    """Sends one mutation and returns its payload."""
    kind = mutation[0].upper() + mutation[1:]
    payload = f"{{ {selected} position userErrors {{ code }} }}"
    query = f"mutation ($input: {kind}Input!) {{ {mutation}(input: $input) {payload} }}"
    headers = {"authorization": f"Bearer {stack.token}", "idempotency-key": key}
    answer = stack.http.post(stack.graphql_url, json={"query": query, "variables": {"input": given}}, headers=headers)
    body = answer.json()
    assert answer.status_code == 200 and "errors" not in body, answer.text
    return body["data"][mutation]


def test_an_operators_day(stack: RunningStack) -> None:
    card = "contact { id name version }"
    olena = do(stack, "contactCreate", "e2e-1", card, name="Olena", phones=[OLENA])["contact"]
    petro = do(stack, "contactCreate", "e2e-2", card, name="Petro", phones=[PETRO])["contact"]
    said = {"contactId": olena["id"], "title": "Desk", "amount": {"minor": 20_200, "currency": "UAH"}}
    opened = do(stack, "dealOpen", "e2e-3", "deal { id number version }", **said)
    deal = opened["deal"]
    moved = do(stack, "dealMoveStage", "e2e-4", "deal { stage version }", dealId=deal["id"], stage="in_progress")
    assert moved["deal"] == {"stage": "in_progress", "version": deal["version"] + 1}
    again = do(stack, "dealMoveStage", "e2e-4", "deal { stage version }", dealId=deal["id"], stage="in_progress")
    assert again["deal"] == moved["deal"]
    seen = {"dealId": deal["id"], "expectedVersion": deal["version"]}
    assert do(stack, "dealWin", "e2e-5", "deal { stage }", **seen)["userErrors"] == [{"code": "VERSION_CONFLICT"}]
    do(stack, "contactMerge", "e2e-6", card, contactId=petro["id"], intoId=olena["id"])
    stack.wait_for_answer(
        f'{{ caller(phone: "{PETRO}") {{ contact {{ name }} }} }}', {"caller": {"contact": {"name": "Olena"}}}
    )
    stack.accepts("form", rehearse.form({"name": "Petro", "phone": PETRO, "message": "While they are one card"}))
    deals = "query ($phone: String!) { caller(phone: $phone) { openDeals { title contact { name } } } }"
    opened_deal = {"title": "Desk", "contact": {"name": "Olena"}}
    both = {"openDeals": [{"title": "Petro", "contact": {"name": "Olena"}}, opened_deal]}
    stack.wait_for_answer(deals, {"caller": both}, phone=OLENA)
    do(stack, "contactUnmerge", "e2e-7", card, contactId=petro["id"])
    stack.wait_for_answer(deals, {"caller": {"openDeals": [opened_deal]}}, phone=OLENA)
    stack.wait_for_answer(
        deals, {"caller": {"openDeals": [{"title": "Petro", "contact": {"name": "Petro"}}]}}, phone=PETRO
    )
    stack.wait_for_answer(
        f'{{ caller(phone: "{PETRO}") {{ contact {{ name }} }} }}', {"caller": {"contact": {"name": "Petro"}}}
    )
    do(stack, "noteAdd", "e2e-8", "note { id }", dealId=deal["id"], text="VIP")
    query = "query ($id: ID) { deal(id: $id) { stage timeline(first: 2) { nodes { title text } } } }"
    notes = [{"title": "Note", "text": "VIP"}, {"title": "Stage new → in_progress", "text": "by hand"}]
    stack.wait_for_answer(query, {"deal": {"stage": "in_progress", "timeline": {"nodes": notes}}}, id=deal["id"])


def test_a_token_made_by_a_token(stack: RunningStack) -> None:
    admin = stack.terminal.run_json("token create --name admin --scope admin")["token"]
    query = (
        'mutation { tokenCreate(input: {name: "Reports", scopes: [read]}) { secret token { id } userErrors { code } } }'
    )

    def ask(token: str, query: str) -> Any:
        return stack.http.post(stack.graphql_url, json={"query": query}, headers={"authorization": f"Bearer {token}"})

    wait_until(lambda: None if ask(admin, "{ __typename }").status_code == 200 else "not known yet")
    made = ask(admin, query).json()["data"]["tokenCreate"]
    wait_until(
        lambda: None if ask(made["secret"], "{ deals(first: 1) { nodes { number } } }").status_code == 200 else "401"
    )
    revoke = f'mutation {{ tokenRevoke(input: {{tokenId: "{made["token"]["id"]}"}}) {{ userErrors {{ code }} }} }}'
    assert ask(admin, revoke).json()["data"]["tokenRevoke"] == {"userErrors": []}
    wait_until(lambda: None if ask(made["secret"], "{ __typename }").status_code == 401 else "still works")
