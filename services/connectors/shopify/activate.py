"""Shopify: the webhooks of a shop, set by an app's access token (https://shopify.dev/docs/api/admin-rest)."""

from crm.activation.declared import Activation, Call, Webhooks

API = "/admin/api/2026-01"
ACTIVATION = Activation(
    base="https://{shop}",
    needs=("shop", "api_token", "secret"),
    headers={"X-Shopify-Access-Token": "{api_token}"},
    check=Call("GET", f"{API}/shop.json"),
    account="shop.name",
    register=Call(
        "POST", f"{API}/webhooks.json", json={"webhook": {"topic": "{topic}", "address": "{url}", "format": "json"}}
    ),
    topics=("orders/create", "orders/updated", "orders/cancelled", "orders/delete"),
    webhooks=Webhooks(
        Call("GET", f"{API}/webhooks.json", {"limit": "250"}),
        "webhooks",
        listed=True,
        url="address",
        topic="topic",
        id="id",
    ),
    unregister=Call("DELETE", f"{API}/webhooks/{{id}}.json"),
    why="errors",
    any_host=True,
)
