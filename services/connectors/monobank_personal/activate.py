"""monobank personal: the webhook, set by the owner's token (https://api.monobank.ua/docs)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

PersonalToken = Annotated[
    str,
    Meta(
        description="Your token from https://api.monobank.ua: the webhook is set with it.",
        extra={"pattern": "[A-Za-z0-9_-]{20,100}"},
    ),
]
INFO = Call("GET", "/personal/client-info")  # the bank answers it once a minute
ACTIVATION = Activation(
    base="https://api.monobank.ua",
    needs=("token",),
    headers={"X-Token": "{token}"},
    check=INFO,
    account="name",
    register=Call("POST", "/personal/webhook", json={"webHookUrl": "{url}"}),
    webhooks=Webhooks(INFO, url="webHookUrl"),
    unregister=Call("POST", "/personal/webhook", json={"webHookUrl": ""}),
    why="errorDescription",
)
