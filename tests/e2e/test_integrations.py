"""`crm integrations` and the API say the same of a connection that the command line made."""

from typing import Any

from crm.connector_catalogue import catalogue
from tests.support.running_stack import RunningStack, wait_until

LIST = """{ integrations(first: 100) { nodes { id name activity {
  state taken refused quarantined lastRefusal advice } } } }"""


def test_what_comes_is_listed(stack: RunningStack) -> None:
    made = stack.terminal.run_json("connect form --setting token=of-a-test --name Counted")
    id = made["connection"]

    def listed() -> Any:
        found = stack.terminal.run_json("integrations")
        assert [one["connector"] for one in found] == list(catalogue())
        return next(c for one in found for c in one["connections"] if c["connection"] == id)

    def answered() -> Any:
        return next((n for n in stack.ask(LIST)["integrations"]["nodes"] if n["id"] == id), None)

    assert (listed()["state"], listed()["last_delivery_at"], listed()["url"]) == ("never delivered", None, made["url"])
    for token, status in (("of-a-test", 200), ("forged", 401), ("forged", 401)):
        headers = {"x-form-token": token}
        assert stack.http.post(made["url"], data={"phone": "0671234567"}, headers=headers).status_code == status

    def missing() -> str | None:
        found = answered()
        return None if found and found["activity"]["refused"] == 2 else f"not yet: {found}"

    wait_until(missing)
    activity, one = answered()["activity"], listed()
    assert (activity["state"], activity["taken"], activity["quarantined"]) == ("failing", 1, 0)
    assert (one["state"], one["last_day"]) == ("failing", {"taken": 1, "quarantined": 0, "refused": 2, "failed": 0})
    assert one["last_delivery_at"] and one["refused_at"] and one["failed_at"] is None
    assert one["advice"] == activity["advice"]
    assert one["advice"].startswith(f"Refused 2 of 3 within a day; the last: {activity['lastRefusal']}")
    shown = stack.terminal.run("integrations").stdout
    assert "Counted" in shown and "failing" in shown and "more connectors: " in shown
