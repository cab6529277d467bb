"""Stripe: the webhook endpoint, set by an API key (https://docs.stripe.com/api/webhook_endpoints)."""

from typing import Annotated

from msgspec import Meta

from crm.activation.declared import Activation, Call, Webhooks

ApiKey = Annotated[
    str,
    Meta(
        description="A secret or restricted API key that may write webhook endpoints: the endpoint is set with it.",
        examples=["rk_live_..."],
        extra={"pattern": "[sr]k_(live|test)_[A-Za-z0-9]{16,250}"},
    ),
]
EVENTS = (
    *("payment_intent.amount_capturable_updated", "payment_intent.canceled", "payment_intent.created"),
    *("payment_intent.payment_failed", "payment_intent.processing", "payment_intent.succeeded"),
    *("charge.captured", "charge.expired", "charge.failed", "charge.pending", "charge.refunded", "charge.succeeded"),
    *("charge.updated", "charge.dispute.closed", "charge.dispute.created", "charge.dispute.funds_reinstated"),
    *("charge.dispute.funds_withdrawn", "charge.dispute.updated"),
    *("checkout.session.async_payment_failed", "checkout.session.async_payment_succeeded"),
    *("checkout.session.completed", "checkout.session.expired"),
    *("refund.created", "refund.failed", "refund.updated"),
)
ENDPOINTS = "/v1/webhook_endpoints"
LIST = Call("GET", ENDPOINTS, {"limit": "100"})
ACTIVATION = Activation(
    base="https://api.stripe.com",
    needs=("token",),
    headers={"Authorization": "Bearer {token}"},
    check=LIST,
    secret="registered",
    secret_at="secret",
    register=Call(
        "POST",
        ENDPOINTS,
        form={"url": "{url}", "description": "Potik"}
        | {f"enabled_events[{number}]": event for number, event in enumerate(EVENTS)},
    ),
    webhooks=Webhooks(LIST, "data", listed=True, id="id", on="status", on_is=("enabled",)),
    repair=Call("POST", f"{ENDPOINTS}/{{id}}", form={"disabled": "false"}),
    unregister=Call("DELETE", f"{ENDPOINTS}/{{id}}"),
    why="error.message",
)
