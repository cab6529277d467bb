"""Prom.ua: asks for the orders that were made or changed."""

from crm.connector_poll import Ask, Auth, ByTime, Poll, Turn
from crm.poll_paging import last_item
from services.connectors.formats.times import written
from services.connectors.prom_ua.orders import parse


def ask(turn: Turn) -> Ask:
    since = written(turn.since, "%Y-%m-%dT%H:%M:%S")
    return Ask("/orders/list", {"last_modified_from": since, "limit": "100", "sort_dir": "desc"})


POLL = Poll(
    "https://my.prom.ua/api/v1",
    ask,
    Auth(),
    parse,
    items=("orders",),
    paging=last_item("last_id", ("orders",), "id", size=100),
    cursor=ByTime(overlap=60),
    every=120,
    per_minute=30,
    back=7 * 86_400,
)
