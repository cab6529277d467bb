"""Chatwoot: the account's webhook, set by an access token (https://developers.chatwoot.com/api-reference/webhooks)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

Site = Annotated[
    str,
    Meta(
        description="The address of your Chatwoot: needed to set the webhook.",
        examples=["https://app.chatwoot.com"],
        extra={"pattern": r"https://[A-Za-z0-9.-]+(:\d+)?/?"},
    ),
]
AccountId = Annotated[
    str, Meta(description="The account's number, in the address of its pages.", extra={"pattern": r"\d{1,12}"})
]
Token = Annotated[
    str,
    Meta(
        description="An access token of an administrator, under Profile settings: the webhook is set with it.",
        extra={"pattern": "[A-Za-z0-9_-]{16,100}"},
    ),
]
WEBHOOKS = "/api/v1/accounts/{account}/webhooks"
LIST = Call("GET", WEBHOOKS)
ACTIVATION = Activation(
    base="{site}",
    needs=("site", "account", "token"),
    headers={"api_access_token": "{token}"},
    check=LIST,
    register=Call(
        "POST", WEBHOOKS, json={"webhook": {"url": "{url}", "subscriptions": ["message_created", "message_updated"]}}
    ),
    webhooks=Webhooks(LIST, "payload.webhooks", listed=True, id="id"),
    unregister=Call("DELETE", f"{WEBHOOKS}/{{id}}"),
    why="error",
    any_host=True,
)
