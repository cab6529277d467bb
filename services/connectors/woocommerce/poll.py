"""WooCommerce: orders that no webhook brought (https://woocommerce.github.io/woocommerce-rest-api-docs/#orders).

A webhook is switched off after five failures; what was missed is asked for with a key of the REST API.
"""

import base64

from crm.connector import Connection
from crm.connector_poll import HOUR, Ask, ByTime, Poll, Turn
from crm.poll_paging import next_number
from services.connectors.formats.times import written
from services.connectors.woocommerce.webhook import Settings, parse, shop_of


def base(connection: Connection) -> str:
    return f"https://{shop_of(connection.settings_as(Settings))}/wp-json/wc/v3"


def ask(turn: Turn) -> Ask:
    key = base64.b64encode(turn.connection.settings_as(Settings).api_key.strip().encode()).decode()
    since = written(turn.since, "%Y-%m-%dT%H:%M:%S")
    parameters = {"modified_after": since, "dates_are_gmt": "true", "orderby": "id", "per_page": "100", "page": "1"}
    return Ask("/orders", parameters, headers={"authorization": f"Basic {key}"})


POLL = Poll(
    base,
    ask,
    parse=parse,
    items=(),
    paging=next_number("page", (), 100),
    cursor=ByTime(overlap=HOUR),
    every=900,
    per_minute=30,
    key="api_key",
)
