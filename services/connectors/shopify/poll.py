"""Shopify: orders that no webhook brought (https://shopify.dev/docs/api/admin-rest/latest/resources/order).

A webhook is removed after eight failures; what was missed is asked for with the access token of an app of the shop's.
"""

from crm.connector import Connection
from crm.connector_poll import HOUR, Ask, Auth, ByTime, Poll, Turn
from crm.poll_paging import next_link
from services.connectors.formats.times import written
from services.connectors.shopify.webhook import Settings, parse

VERSION = "2026-07"  # Shopify keeps each for a year, and answers with the oldest that it has for one that is gone


def base(connection: Connection) -> str:
    return f"https://{connection.settings_as(Settings).shop.strip().lower()}/admin/api/{VERSION}"


def ask(turn: Turn) -> Ask:
    since = written(turn.since, "%Y-%m-%dT%H:%M:%S+00:00")
    return Ask("/orders.json", {"status": "any", "updated_at_min": since, "limit": "250"})


POLL = Poll(
    base,
    ask,
    Auth("x-shopify-access-token", ""),
    parse,
    ("orders",),
    next_link(),
    ByTime(overlap=HOUR),
    every=900,
    per_minute=30,
    key="api_token",
)
