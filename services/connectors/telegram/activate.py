"""Telegram bots: the webhook, set by the bot's token (https://core.telegram.org/bots/api#setwebhook)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

BotToken = Annotated[
    str,
    Meta(
        description="The bot's token from @BotFather: the bot's webhook is set with it.",
        examples=["123456789:AAE..."],
        extra={"pattern": r"\d{5,20}:[A-Za-z0-9_-]{30,60}"},
    ),
]
UPDATES = [
    *("message", "edited_message", "channel_post", "edited_channel_post", "message_reaction", "callback_query"),
    *("business_connection", "business_message", "edited_business_message", "deleted_business_messages"),
    *("pre_checkout_query", "shipping_query", "purchased_paid_media", "poll_answer"),
    *("my_chat_member", "chat_member", "chat_join_request"),
]
ACTIVATION = Activation(
    base="https://api.telegram.org",
    needs=("token",),
    check=Call("GET", "/bot{token}/getMe"),
    account="result.username",
    secret="made",
    register=Call(
        "POST",
        "/bot{token}/setWebhook",
        json={
            "url": "{url}",
            "secret_token": "{secret}",
            "allowed_updates": UPDATES,
        },
    ),
    webhooks=Webhooks(Call("GET", "/bot{token}/getWebhookInfo"), "result", error="last_error_message"),
    unregister=Call("POST", "/bot{token}/deleteWebhook"),
    good={"ok": "true"},
    why="description",
    ports=(443, 80, 88, 8443),
)
