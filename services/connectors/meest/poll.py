"""Meest: the events of a parcel (https://wiki.meest-group.com/api/en/v3.0/openAPI)."""

from collections.abc import Iterator
from urllib.parse import quote, unquote

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Auth, LogIn, Page, Rejected, Turn, expect_json, post_json, token_at
from crm.errors import Malformed
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import records, required, text
from services.connectors.parcels import ParcelReading, parcel_poll

BASE = "/v3.0/openAPI"
STATUSES = meanings(created="2", in_transit="606 8081", received="1622")  # all that is published


def log_in(_connection: Connection, key: str) -> Ask:
    name, _, password = key.partition(":")
    return post_json(f"{BASE}/auth", {"username": name, "password": password})


def ask(turn: Turn) -> Ask:
    return Ask(f"{BASE}/tracking/{quote(turn.subject, safe='')}")


def check(page: Page) -> None:
    """Errors may come with status 200; another parcel may still be answered."""
    expect_json(page)
    if page.at("status") != "OK":
        raise Rejected(f"Meest answered with an error: {str(page.at('message') or page.at('info') or '')[:200]}.")


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Reads the newest event. The answer does not say whose it is: the number is in the URL."""
    number = unquote(delivery.path.rpartition("/")[2])
    if not number:
        raise Malformed("The URL does not say which parcel it is.")
    events = records(decode_object(delivery.body), "result")
    if not events:
        return
    reading = ParcelReading()
    at, event = reading.newest(events, "eventDateTime")
    code, when = required(event, "eventCode"), text(event, "eventDateTime")
    words = [text(event, f"event{what}", "descrUA") for what in ("Descr", "DetailDescr", "CityDescr")]
    yield reading.report(
        *(delivery, "meest", number, STATUSES.get(code, "unknown"), code, at),
        *(code, when),
        status_text=", ".join(filter(None, words)),
    )


LOG_IN = LogIn(log_in, token_at("result", "token"))
POLL = parcel_poll("https://api.meest.com", ask, Auth("token", "", LOG_IN), parse=parse, check=check)
