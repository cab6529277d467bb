"""The APIs of Typeform and Jotform."""

from typing import Any

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Hook, Refusal
from tests.simulator.routes import Body, bearer, drop, route


def typeform(accounts: Accounts, request: Request) -> Account:
    return bearer(
        accounts, request, "typeform", {"code": "AUTHENTICATION_FAILED", "description": "Authentication failed"}
    )


@route("typeform", "GET", "/forms/{form}")
async def form(accounts: Accounts, request: Request) -> Body:
    typeform(accounts, request)
    return {"id": request.path_params["form"], "title": "Quiz"}


@route("typeform", "PUT", "/forms/{form}/webhooks/{tag}")
async def set_typeform(accounts: Accounts, request: Request) -> Body:
    account, given, tag = typeform(accounts, request), await request.json(), request.path_params["tag"]
    account.hooks = [hook for hook in account.hooks if hook.id != tag]
    account.hooks.append(Hook(tag, given["url"], given["secret"], on=given["enabled"]))
    return {"tag": tag, "url": given["url"], "enabled": given["enabled"]}


@route("typeform", "GET", "/forms/{form}/webhooks")
async def typeform_hooks(accounts: Accounts, request: Request) -> Body:
    hooks = typeform(accounts, request).hooks
    return {"items": [{"id": "1", "tag": one.id, "url": one.url, "enabled": one.on} for one in hooks]}


@route("typeform", "DELETE", "/forms/{form}/webhooks/{tag}")
async def delete_typeform(accounts: Accounts, request: Request) -> None:
    drop(typeform(accounts, request), request.path_params["tag"])


def jotform(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"responseCode": 401, "message": "You're not authorized to use (/form-id) "})
    return accounts.of(request, "jotform", request.headers.get("apikey", ""), refusal)


def jotform_answer(content: Any) -> Body:
    return {"responseCode": 200, "message": "success", "content": content}


@route("jotform", "GET", "/form/{form}")
async def jotform_form(accounts: Accounts, request: Request) -> Body:
    jotform(accounts, request)
    return jotform_answer({"id": request.path_params["form"], "title": "Order form"})


@route("jotform", "GET", "/form/{form}/webhooks")
async def jotform_hooks(accounts: Accounts, request: Request) -> Body:
    hooks = [hook.url for hook in jotform(accounts, request).hooks if hook.on]
    return jotform_answer({str(number): url for number, url in enumerate(hooks)} if hooks else [])  # PHP


@route("jotform", "POST", "/form/{form}/webhooks")
async def add_jotform(accounts: Accounts, request: Request) -> Body:
    jotform(accounts, request).set(str((await request.form())["webhookURL"]), replace=False)
    return await jotform_hooks(accounts, request)


@route("jotform", "DELETE", "/form/{form}/webhooks/{number}")
async def delete_jotform(accounts: Accounts, request: Request) -> Body:
    jotform(accounts, request).hooks.pop(int(request.path_params["number"]))
    return await jotform_hooks(accounts, request)
