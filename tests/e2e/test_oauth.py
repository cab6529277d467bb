"""A vendor with OAuth through every role: the link, the call-back at intake, the poller, the end of a permission."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn

from crm.adapters.telemetry.health import ServerWithoutSignals
from tests.simulator.accounts import Account, Accounts
from tests.simulator.apis import vendor_apis
from tests.simulator.apis.oauth import agreed, declined
from tests.support.running_stack import RunningStack, wait_until

CONNECT = "connect olx --client-id 7 --client-secret hush-client"


@contextmanager
def vendor(port: int) -> Iterator[Account]:
    """The simulated vendor on real HTTP."""
    accounts = Accounts()

    async def visit(*_: Any, **__: Any) -> httpx.Response:
        return httpx.Response(200)

    config = uvicorn.Config(vendor_apis(accounts, visit), port=port, lifespan="off", log_config=None)
    server = ServerWithoutSignals(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    try:
        yield accounts.open("olx", "7", "hush-client")
        assert accounts.unmatched == []
    finally:
        server.should_exit = True
        thread.join()


def test_a_permission_from_its_link_to_its_end_and_to_the_next(stack: RunningStack) -> None:
    port = urlsplit(stack.terminal.environment["CRM_VENDOR_URL_OLX"]).port
    assert port
    with vendor(port) as account:
        link = stack.terminal.run_json(f"{CONNECT} --name Shop")
        assert link["redirect"] == f"{stack.intake_url}/oauth/callback"
        no = stack.http.get(declined(link["link"]))
        assert no.status_code == 400 and "access was not permitted" in no.text
        call_back = agreed(account, link["link"])
        foreign = stack.http.get(call_back.replace("state=", "state=A"))
        assert foreign.status_code == 400 and "not of this installation" in foreign.text
        assert listed(stack) == []
        yes = stack.http.get(call_back)
        assert yes.status_code == 200 and "olx is connected" in yes.text and "hush" not in yes.text
        assert yes.headers["referrer-policy"] == "no-referrer" and yes.headers["cache-control"] == "no-store"
        account.hooks.clear()  # the owner takes the permission back
        again = stack.http.get(call_back)
        assert again.status_code == 400 and "This link was used before" in again.text
        one = until_state(stack, "failing")
        command = f"`crm connect olx --connection {one['connection']} --client-id ID --client-secret SECRET`"
        assert "invalid_grant" in one["problem"] and f"Log in again: {command} prints a link" in one["advice"]
        assert "hush" not in str(one)
        link = stack.terminal.run_json(f"{CONNECT} --connection {one['connection']}")
        assert stack.http.get(agreed(account, link["link"])).status_code == 200
        after = until_state(stack, "connected")
        assert (after["connection"], after["name"], after["problem"]) == (one["connection"], "Shop", None)
        assert after["last_answer_at"] and account.hooks[-1].secret.endswith("+")  # it was replaced, and is used


def listed(stack: RunningStack) -> list[Any]:
    (olx,) = [one for one in stack.terminal.run_json("integrations") if one["connector"] == "olx"]
    found: list[Any] = [one for one in olx["connections"] if one["name"] == "Shop"]
    return found


def until_state(stack: RunningStack, state: str) -> Any:
    def missing() -> str | None:
        found = listed(stack)
        return None if [one["state"] for one in found] == [state] else f"not {state} yet: {found}"

    wait_until(missing)
    (one,) = listed(stack)
    return one
