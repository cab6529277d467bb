"""The APIs of monobank and Stripe."""

from typing import Any

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Hook, Refusal
from tests.simulator.routes import Body, bearer, drop, route


def mono(accounts: Accounts, request: Request, vendor: str, words: dict[str, str]) -> Account:
    return accounts.of(request, vendor, request.headers.get("x-token", ""), Refusal(403, words))


def owner(accounts: Accounts, request: Request) -> Account:
    return mono(accounts, request, "monobank-personal", {"errorDescription": "Unknown 'X-Token'"})


@route("monobank-personal", "GET", "/personal/client-info")
async def client_info(accounts: Accounts, request: Request) -> Body:
    hook = owner(accounts, request).hook
    return {"clientId": "3MSaMMtczs", "name": "Мазепа Іван", "webHookUrl": hook.url if hook and hook.on else ""}


@route("monobank-personal", "POST", "/personal/webhook")
async def set_monobank(accounts: Accounts, request: Request) -> Body:
    account, url = owner(accounts, request), (await request.json())["webHookUrl"]
    if not url:
        account.hooks.clear()
    elif (await request.state.visit("GET", url)).status_code != 200:
        raise Refusal(400, {"errorDescription": "Webhook must answer 200"})
    else:
        account.set(url)
    return {"status": "ok"}


@route("monobank", "GET", "/api/merchant/pubkey")
async def merchant_key(accounts: Accounts, request: Request) -> Body:
    return {"key": mono(accounts, request, "monobank", {"errCode": "FORBIDDEN", "errText": "forbidden"}).secret}


def stripe(accounts: Accounts, request: Request) -> Account:
    return bearer(accounts, request, "stripe", {"error": {"message": "Invalid API Key provided: sk_test_***"}})


def endpoint_of(hook: Hook) -> dict[str, Any]:
    status = "enabled" if hook.on else "disabled"
    return {"id": hook.id, "object": "webhook_endpoint", "url": hook.url, "status": status}


@route("stripe", "GET", "/v1/webhook_endpoints")
async def endpoints(accounts: Accounts, request: Request) -> Body:
    return {"object": "list", "data": [endpoint_of(hook) for hook in stripe(accounts, request).hooks]}


@route("stripe", "POST", "/v1/webhook_endpoints")
async def add_endpoint(accounts: Accounts, request: Request) -> Body:
    account, given = stripe(accounts, request), await request.form()
    if "*" in given.values() or not given.get("enabled_events[0]"):
        raise Refusal(400, {"error": {"message": "Invalid enabled_events"}})
    hook = account.set(str(given["url"]), account.secret, replace=False)
    return {**endpoint_of(hook), "secret": account.secret}  # said once, when it is made


@route("stripe", "POST", "/v1/webhook_endpoints/{id}")
async def change_endpoint(accounts: Accounts, request: Request) -> Body:
    account, given = stripe(accounts, request), await request.form()
    (hook,) = [hook for hook in account.hooks if hook.id == request.path_params["id"]]
    hook.on = given["disabled"] == "false"
    return endpoint_of(hook)


@route("stripe", "DELETE", "/v1/webhook_endpoints/{id}")
async def delete_endpoint(accounts: Accounts, request: Request) -> Body:
    drop(stripe(accounts, request), request.path_params["id"])
    return {"id": request.path_params["id"], "deleted": True}
