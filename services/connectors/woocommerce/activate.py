"""WooCommerce: the shop's webhooks, set by a REST API key
(https://woocommerce.github.io/woocommerce-rest-api-docs/#webhooks)."""

from crm.activation.declared import Activation, Call, Webhooks

WEBHOOKS = "/wp-json/wc/v3/webhooks"
LIST = Call("GET", WEBHOOKS, {"per_page": "100"})
ACTIVATION = Activation(
    base="https://{shop}",
    needs=("shop", "api_key"),
    headers={"Authorization": "Basic {api_key}"},
    check=LIST,
    secret="made",
    register=Call(
        "POST",
        WEBHOOKS,
        json={
            "name": "Potik: {topic}",
            "topic": "{topic}",
            "delivery_url": "{url}",
            "secret": "{secret}",
            "status": "active",
        },
    ),
    topics=("order.created", "order.updated", "order.deleted", "order.restored"),
    webhooks=Webhooks(LIST, listed=True, url="delivery_url", topic="topic", id="id", on="status", on_is=("active",)),
    repair=Call("PUT", f"{WEBHOOKS}/{{id}}", json={"status": "active"}),
    unregister=Call("DELETE", f"{WEBHOOKS}/{{id}}", {"force": "true"}),
    why="message",
    any_host=True,
)
