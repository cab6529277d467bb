"""Viber bots: the webhook, set by the bot's token (https://developers.viber.com/docs/api/rest-bot-api/#webhooks)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

BotToken = Annotated[
    str,
    Meta(
        description="The bot's authentication token: the webhook is set with it, and it is the secret too.",
        examples=["445da6az1s345z78-..."],
        extra={"pattern": "[A-Za-z0-9]{8,32}(-[A-Za-z0-9]{8,32}){2}"},
    ),
]
EVENTS = ["delivered", "seen", "failed", "subscribed", "unsubscribed", "conversation_started"]
INFO = Call("POST", "/pa/get_account_info", json={})
ACTIVATION = Activation(
    base="https://chatapi.viber.com",
    needs=("token",),
    headers={"X-Viber-Auth-Token": "{token}"},
    check=INFO,
    account="name",
    secret="token",
    register=Call(
        "POST", "/pa/set_webhook", json={"url": "{url}", "event_types": EVENTS, "send_name": True, "send_photo": False}
    ),
    webhooks=Webhooks(INFO, url="webhook"),
    unregister=Call("POST", "/pa/set_webhook", json={"url": ""}),
    good={"status": "0"},
    why="status_message",
    ports=(443,),
)
