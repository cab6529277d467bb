"""The APIs of Twilio."""

import base64

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Refusal
from tests.simulator.routes import Body, route

NUMBER = "/2010-04-01/Accounts/{account}/IncomingPhoneNumbers/{number}.json"


def twilio(accounts: Accounts, request: Request) -> Account:
    refusal = Refusal(401, {"code": 20003, "message": "Authenticate", "status": 401})
    login = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
    return accounts.of(request, "twilio", login, refusal)


@route("twilio", "GET", NUMBER)
async def twilio_number(accounts: Accounts, request: Request) -> Body:
    hook = twilio(accounts, request).hook
    return {"phone_number": "+380441234567", "status_callback": f"{hook.url}#rc=5" if hook and hook.on else ""}


@route("twilio", "POST", NUMBER)
async def set_twilio(accounts: Accounts, request: Request) -> Body:
    account, url = twilio(accounts, request), str((await request.form())["StatusCallback"])
    account.hooks.clear()
    if url:
        account.set(url.removesuffix("#rc=5"))
    return await twilio_number(accounts, request)
