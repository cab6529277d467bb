"""The APIs of Shopify and WooCommerce."""

import base64
from typing import Any

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Hook, Refusal
from tests.simulator.routes import Body, drop, route


def shopify(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})
    return accounts.of(request, "shopify", request.headers.get("x-shopify-access-token", ""), refusal)


@route("shopify", "GET", "/admin/api/2026-01/shop.json")
async def shop(accounts: Accounts, request: Request) -> Body:
    shopify(accounts, request)
    return {"shop": {"id": 1, "name": "Крамниця"}}


@route("shopify", "GET", "/admin/api/2026-01/webhooks.json")
async def shopify_hooks(accounts: Accounts, request: Request) -> Body:
    hooks = [hook for hook in shopify(accounts, request).hooks if hook.on]  # one that failed too often is removed
    return {"webhooks": [{"id": hook.id, "address": hook.url, "topic": hook.topic} for hook in hooks]}


@route("shopify", "POST", "/admin/api/2026-01/webhooks.json")
async def add_shopify(accounts: Accounts, request: Request) -> Body:
    account, new = shopify(accounts, request), (await request.json())["webhook"]
    if any(hook.on and (hook.url, hook.topic) == (new["address"], new["topic"]) for hook in account.hooks):
        raise Refusal(422, {"errors": {"address": ["for this topic has already been taken"]}})
    hook = account.set(new["address"], account.secret, new["topic"])
    return {"webhook": {"id": hook.id, "address": hook.url, "topic": hook.topic}}


@route("shopify", "DELETE", "/admin/api/2026-01/webhooks/{id}.json")
async def delete_shopify(accounts: Accounts, request: Request) -> Body:
    drop(shopify(accounts, request), request.path_params["id"])
    return {}


def woocommerce(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"code": "woocommerce_rest_cannot_view", "message": "Sorry, you cannot list resources."})
    login = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
    return accounts.of(request, "woocommerce", login, refusal)


def wc_hook(hook: Hook) -> dict[str, Any]:
    status = "active" if hook.on else "disabled"
    return {"id": hook.id, "delivery_url": hook.url, "topic": hook.topic, "status": status}


@route("woocommerce", "GET", "/wp-json/wc/v3/webhooks")
async def wc_hooks(accounts: Accounts, request: Request) -> Body:
    return [wc_hook(hook) for hook in woocommerce(accounts, request).hooks]


@route("woocommerce", "POST", "/wp-json/wc/v3/webhooks")
async def add_wc(accounts: Accounts, request: Request) -> Body:
    account, new = woocommerce(accounts, request), await request.json()
    ping = await request.state.visit("POST", new["delivery_url"], data={"webhook_id": "1"})
    if ping.status_code != 200:
        raise Refusal(400, {"code": "woocommerce_rest", "message": "Error: Delivery URL returned response code"})
    return wc_hook(account.set(new["delivery_url"], new["secret"], new["topic"]))


@route("woocommerce", "PUT", "/wp-json/wc/v3/webhooks/{id}")
async def change_wc(accounts: Accounts, request: Request) -> Body:
    account, new = woocommerce(accounts, request), await request.json()
    (hook,) = [hook for hook in account.hooks if hook.id == request.path_params["id"]]
    hook.on = new["status"] == "active"
    return wc_hook(hook)


@route("woocommerce", "DELETE", "/wp-json/wc/v3/webhooks/{id}")
async def delete_wc(accounts: Accounts, request: Request) -> Body:
    account = woocommerce(accounts, request)
    if request.query_params.get("force") != "true":
        raise Refusal(501, {"message": "Webhooks do not support trashing."})
    drop(account, request.path_params["id"])
    return {}
