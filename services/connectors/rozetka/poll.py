"""Rozetka: logs in and asks for the orders that were changed."""

import base64

from crm.connector import Connection
from crm.connector_poll import Ask, Auth, ByTime, Expired, LogIn, Page, Poll, PollFailed, Turn, post_json, token_at
from crm.poll_paging import next_number
from crm.zones import zone
from services.connectors.formats.times import written
from services.connectors.rozetka.orders import parse

EXPAND = "user,delivery,purchases,status_data,status_payment,payment_type_name"
FORBIDDEN = (1005, 1010, 1020)  # the token is missing, wrong or old; others are faults of the request


def log_in(connection: Connection, key: str) -> Ask:
    user, _, password = key.partition(":")
    body = {"username": user, "password": base64.b64encode(password.encode()).decode()}
    return post_json("/sites", body)


def ask(turn: Turn) -> Ask:
    since = written(turn.since, "%Y-%m-%d %H:%M:%S", zone("Europe/Kyiv"))
    return Ask("/orders/search", {"changed_from": since, "expand": EXPAND, "page": "1"})


def check(page: Page) -> None:
    """Errors come with status 200 and `success: false`."""
    if page.at("success") is False:
        code, why = page.at("errors", "code"), page.at("errors", "message")
        raise (Expired if code in FORBIDDEN else PollFailed)(f"Rozetka answered {code}: {why}.")


POLL = Poll(
    "https://api-seller.rozetka.com.ua",
    ask,
    Auth(log_in=LogIn(log_in, token_at("content", "access_token", seconds=23 * 3_600))),
    parse,
    items=("content", "orders"),
    paging=next_number("page", ("content", "orders"), 20),
    cursor=ByTime(overlap=600),
    every=180,
    per_minute=30,
    back=7 * 86_400,
    check=check,
)
