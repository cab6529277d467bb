"""The APIs of Telegram, Viber and Chatwoot."""

import hmac
import re
from typing import Any

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Hook, Refusal
from tests.simulator.routes import Body, drop, route

UPDATES = {
    *("message", "edited_message", "channel_post", "edited_channel_post", "business_connection", "business_message"),
    *("edited_business_message", "deleted_business_messages", "message_reaction", "message_reaction_count"),
    *("inline_query", "chosen_inline_result", "callback_query", "shipping_query", "pre_checkout_query"),
    *("purchased_paid_media", "poll", "poll_answer", "my_chat_member", "chat_member", "chat_join_request"),
    *("chat_boost", "removed_chat_boost"),
}


def bot(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"ok": False, "error_code": 401, "description": "Unauthorized"})
    return accounts.of(request, "telegram", request.path_params["token"], refusal)


@route("telegram", "GET", "/bot{token}/getMe")
async def get_me(accounts: Accounts, request: Request) -> Body:
    bot(accounts, request)
    return {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "Shop", "username": "shop_bot"}}


@route("telegram", "POST", "/bot{token}/setWebhook")
async def set_telegram(accounts: Accounts, request: Request) -> Body:
    account, given = bot(accounts, request), await request.json()
    bad = {"ok": False, "error_code": 400, "description": "Bad Request: bad webhook"}
    if not re.fullmatch("[A-Za-z0-9_-]{1,256}", given["secret_token"]) or not set(given["allowed_updates"]) <= UPDATES:
        raise Refusal(400, bad)
    account.set(given["url"], given["secret_token"])
    return {"ok": True, "result": True, "description": "Webhook was set"}


@route("telegram", "POST", "/bot{token}/deleteWebhook")
async def delete_telegram(accounts: Accounts, request: Request) -> Body:
    bot(accounts, request).hooks.clear()
    return {"ok": True, "result": True}


@route("telegram", "GET", "/bot{token}/getWebhookInfo")
async def telegram_info(accounts: Accounts, request: Request) -> Body:
    hook = bot(accounts, request).hook or Hook("", "")
    info: dict[str, Any] = {"url": hook.url if hook.on else "", "pending_update_count": 0}
    if hook.error:
        info["last_error_message"] = hook.error
    return {"ok": True, "result": info}


def viber(accounts: Accounts, request: Request) -> Account:
    """Viber answers 200 whatever happens: `status` says what did."""
    refusal = Refusal(200, {"status": 2, "status_message": "invalidAuthToken"})
    return accounts.of(request, "viber", request.headers.get("x-viber-auth-token", ""), refusal)


@route("viber", "POST", "/pa/get_account_info")
async def viber_info(accounts: Accounts, request: Request) -> Body:
    hook = viber(accounts, request).hook
    return {"status": 0, "status_message": "ok", "name": "Shop", "webhook": hook.url if hook and hook.on else ""}


@route("viber", "POST", "/pa/set_webhook")
async def set_viber(accounts: Accounts, request: Request) -> Body:
    account, given = viber(accounts, request), await request.json()
    if not given["url"]:
        account.hooks.clear()
        return {"status": 0, "status_message": "ok"}
    body = b'{"event":"webhook","timestamp":1457764197627,"message_token":241256543215}'
    signature = hmac.new(account.key.encode(), body, "sha256").hexdigest()
    headers = {"content-type": "application/json", "x-viber-content-signature": signature}
    if (await request.state.visit("POST", given["url"], content=body, headers=headers)).status_code != 200:
        raise Refusal(200, {"status": 1, "status_message": "Result[8] : Failed to access url"})
    account.set(given["url"], account.key)
    return {"status": 0, "status_message": "ok", "event_types": ["webhook", "message", *given["event_types"]]}


def chatwoot(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"error": "Invalid Access Token"})
    return accounts.of(request, "chatwoot", request.headers.get("api_access_token", ""), refusal)


@route("chatwoot", "GET", "/api/v1/accounts/{account}/webhooks")
async def chatwoot_hooks(accounts: Accounts, request: Request) -> Body:
    hooks = [{"id": hook.id, "url": hook.url} for hook in chatwoot(accounts, request).hooks if hook.on]
    return {"payload": {"webhooks": hooks}}


@route("chatwoot", "POST", "/api/v1/accounts/{account}/webhooks")
async def add_chatwoot(accounts: Accounts, request: Request) -> Body:
    account, given = chatwoot(accounts, request), (await request.json())["webhook"]
    hook = account.set(given["url"], replace=False)
    return {"payload": {"webhook": {"id": hook.id, "url": hook.url, "subscriptions": given["subscriptions"]}}}


@route("chatwoot", "DELETE", "/api/v1/accounts/{account}/webhooks/{id}")
async def delete_chatwoot(accounts: Accounts, request: Request) -> None:
    drop(chatwoot(accounts, request), request.path_params["id"])
