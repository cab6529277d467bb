"""The OAuth of OLX and of Google: one account, whose owner agrees or does not, and whose codes are good once."""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.requests import Request

from crm.activation.oauth import challenge
from tests.simulator.accounts import Account, Accounts, Hook, Refusal
from tests.simulator.routes import Body, route

REFRESH = "refresh token"  # the topic of the hook that stands for it
INVALID = {
    "error": "invalid_grant",
    "error_description": "Authorization code doesn't exist or is invalid",
}


def agreed(account: Account, link: str, scope: str = "") -> str:
    """Returns the call-back to which the browser is sent once the owner of the account has agreed.

    `scope`: what they agreed to, where it is less than what was asked for.
    """
    parameters = dict(parse_qsl(urlsplit(link).query))
    assert parameters["response_type"] == "code" and parameters["client_id"] == account.key
    code = f"code-{next(account.ids)}"
    hook = account.set(parameters["redirect_uri"], parameters.get("code_challenge", ""), code)
    hook.error = scope or parameters["scope"]
    if account.vendor != "olx" and (parameters.get("access_type"), parameters.get("prompt")) != ("offline", "consent"):
        hook.on = False  # Google gives no refresh token then
    return (
        f"{parameters['redirect_uri']}?{urlencode({'code': code, 'scope': hook.error, 'state': parameters['state']})}"
    )


def declined(link: str) -> str:
    """Returns the call-back of an owner who has not agreed."""
    parameters = dict(parse_qsl(urlsplit(link).query))
    said = {
        "error": "access_denied",
        "error_description": "The user denied <b>access</b>",
        "state": parameters["state"],
    }
    return f"{parameters['redirect_uri']}?{urlencode(said)}"


@route("olx", "POST", "/api/open/oauth/token")
async def of_olx(accounts: Accounts, request: Request) -> Body:
    return await token(accounts, request, "olx")


@route("gmail", "POST", "/token")
async def of_gmail(accounts: Accounts, request: Request) -> Body:
    return await token(accounts, request, "gmail")


@route("google-forms", "POST", "/token")
async def of_google_forms(accounts: Accounts, request: Request) -> Body:
    return await token(accounts, request, "google-forms")


async def token(accounts: Accounts, request: Request, vendor: str) -> Body:
    """Each code is a hook of the account, by its topic: where it was sent to, the challenge of PKCE, and as `error` the
    scopes that were agreed to."""
    form = {name: str(value) for name, value in (await request.form()).items()}
    account = accounts.of(request, vendor, form["client_id"], Refusal(401, {"error": "invalid_client"}))
    if form["client_secret"] != account.secret:
        raise Refusal(401, {"error": "invalid_client", "error_description": "Client credentials were not found"})
    if form["grant_type"] == "refresh_token":
        return refreshed(account, form["refresh_token"])
    hook = next((one for one in account.hooks if one.topic == form["code"]), None)
    if form["grant_type"] != "authorization_code" or hook is None or hook.url != form["redirect_uri"]:
        raise Refusal(400, INVALID)
    if hook.secret and challenge(form.get("code_verifier", "")) != hook.secret:
        raise Refusal(400, INVALID)
    account.hooks.remove(hook)
    granted = {"access_token": "a1", "expires_in": 86_400, "token_type": "bearer", "scope": hook.error}
    if not hook.on:
        return granted
    new = Hook("", "", f"r-{hook.topic}", REFRESH)
    account.hooks = [one for one in account.hooks if one.topic != REFRESH] + [new]
    return granted | {"refresh_token": new.secret}


def refreshed(account: Account, given: str) -> Body:
    """Takes each refresh token once, and gives the next."""
    current = next((one for one in account.hooks if one.topic == REFRESH), None)
    if current is None or current.secret != given:
        raise Refusal(400, {"error": "invalid_grant", "error_description": "The refresh token is invalid"})
    current.secret += "+"
    return {"access_token": f"a-{current.secret}", "refresh_token": current.secret, "expires_in": 86_400}


@route("olx", "GET", "/api/partner/threads")
async def threads(accounts: Accounts, request: Request) -> Body:
    """No chats, for who has the newest token."""
    given = request.headers["authorization"].removeprefix("Bearer a-")
    if not any(hook.topic == REFRESH and hook.secret == given for _, hook in hooks_of(accounts, "olx")):
        raise Refusal(401, {"error": "invalid_token"})
    return {"data": []}


def hooks_of(accounts: Accounts, vendor: str) -> Iterator[tuple[Account, Hook]]:
    for account in accounts.by_key.values():
        if account.vendor == vendor:
            yield from ((account, hook) for hook in account.hooks)
