"""The APIs of Meta: lead ads, Messenger, Instagram, WhatsApp."""

from urllib.parse import urlencode

from starlette.requests import Request

from tests.simulator.accounts import Account, Accounts, Refusal
from tests.simulator.routes import Body, route

META = ("facebook-leads", "messenger", "instagram", "whatsapp")
INVALID = {"error": {"message": "Invalid OAuth access token", "type": "OAuthException", "code": 190}}


def app_of(accounts: Accounts, request: Request, vendor: str, token: str) -> Account:
    """The app's own token is its id and secret; its account is known here by the id."""
    id, _, secret = token.partition("|")
    account = accounts.of(request, vendor, id, Refusal(400, INVALID))
    if secret != account.secret:
        raise Refusal(400, INVALID)
    return account


def meta(vendor: str) -> None:
    @route(vendor, "GET", "/v23.0/{node}")
    async def node(accounts: Accounts, request: Request) -> Body:
        if not request.query_params["access_token"].startswith("EAAG"):
            raise Refusal(400, INVALID)
        return {"name": "Крамниця", "id": "1"}

    @route(vendor, "POST", "/v23.0/{app}/subscriptions")
    async def subscribe(accounts: Accounts, request: Request) -> Body:
        given = dict(await request.form())
        account = app_of(accounts, request, vendor, str(given["access_token"]))
        url, token = str(given["callback_url"]), str(given["verify_token"])
        query = urlencode({"hub.mode": "subscribe", "hub.challenge": "1158201444", "hub.verify_token": token})
        answer = await request.state.visit("GET", f"{url}?{query}")
        if (answer.status_code, answer.text) != (200, "1158201444"):
            raise Refusal(400, {"error": {"message": "(#2200) Callback verification failed", "code": 2200}})
        account.set(url, account.secret, str(given["object"]))
        return {"success": True}

    @route(vendor, "GET", "/v23.0/{app}/subscriptions")
    async def subscriptions(accounts: Accounts, request: Request) -> Body:
        hooks = app_of(accounts, request, vendor, request.query_params["access_token"]).hooks
        return {"data": [{"object": one.topic, "callback_url": one.url, "active": one.on} for one in hooks]}

    @route(vendor, "POST", "/v23.0/{node}/subscribed_apps")
    async def install(accounts: Accounts, request: Request) -> Body:
        return {"success": True}


for each in META:
    meta(each)
