"""From the report of a telephone system to the screens of the employees, on the running stack."""

from typing import Any

from tests.support.rehearse import binotel_call, form
from tests.support.running_stack import RunningStack
from tests.support.screen import Screen, brief, screen_at

PHONE, E164 = "0671000009", "+380671000009"


def about(screen: Screen, *calls: str) -> tuple[str, dict[str, Any]]:
    """Returns the next message of our number, or of these calls: other tests' telephones ring too."""
    return next(one for one in screen.events() if one[1].get("phone") == E164 or one[1]["call_id"] in calls)


def test_a_ring_reaches_its_employee_and_ends_when_another_answers(stack: RunningStack) -> None:
    stack.accepts("form", form({"name": "Мар'яна", "phone": PHONE}))
    query = f'query {{ caller(phone: "{E164}") {{ openDeals {{ number title owner }} }} }}'
    (deal,) = stack.ask_when_settled(query)["caller"]["openDeals"]
    api = stack.graphql_url.removesuffix("/graphql")
    with screen_at(api, stack.token, "911") as first, screen_at(api, stack.token, "912") as second:
        stack.accepts("binotel", binotel_call("receivedTheCall", 8201, PHONE, internalNumber="911"))
        kind, said = about(first)
        stack.accepts("binotel", binotel_call("receivedTheCall", 8202, PHONE))
        call = about(second)[1]["call_id"]
        assert brief(about(first)) == ("ring", "certain", ["Мар'яна"], "")
        stack.accepts("binotel", binotel_call("answeredTheCall", 8202, PHONE, internalNumber="912"))
        assert brief(about(second, call)) == ("end", "answered")
        assert brief(about(first, call)) == ("end", "answered_by_another")
        with screen_at(api, stack.token, "911") as reloaded:
            assert about(reloaded) == (kind, said)
        stack.accepts("binotel", binotel_call("hangupTheCall", 8201, PHONE))
        assert brief(about(first, said["call_id"])) == ("end", "ended")
    (contact,) = said["contacts"]
    (shown,) = contact["open_deals"]
    assert (kind, said["match"], said["employee"]) == ("ring", "certain", {"said": "911", "owners": []})
    assert ({name: shown[name] for name in deal}, contact["owner"]["key"]) == (deal, deal["owner"])
