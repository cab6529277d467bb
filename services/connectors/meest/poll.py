"""Meest: the events of a parcel (https://wiki.meest-group.com/api/en/v3.0/openAPI)."""

from collections.abc import Iterator
from urllib.parse import quote, unquote

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Auth, LogIn, Page, Poll, PollFailed, Rejected, Subjects, Token, Turn, expect_json
from crm.errors import Malformed
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import records, required, text
from services.connectors.parcels import ParcelReading, post_json

BASE = "/v3.0/openAPI"
STATUSES = meanings(created="2", in_transit="606 8081", received="1622")  # all that is published


def log_in(_connection: Connection, key: str) -> Ask:
    name, _, password = key.partition(":")
    return post_json(f"{BASE}/auth", {"username": name, "password": password})


def token(page: Page) -> Token:
    found = page.at("result", "token")
    if not isinstance(found, str) or not found:
        raise PollFailed("Meest's answer to the log-in holds no token: check the name and the password.")
    return Token(found)


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
    reading, unknown = ParcelReading(), "when it changed is not known"
    moments = [reading.moment(event, "eventDateTime", doubt=unknown) for event in events]
    newest = max((at or 0, place) for place, at in enumerate(moments))[1]  # of two of one time, the later in the answer
    at, event = moments[newest], events[newest]
    code, when = required(event, "eventCode"), text(event, "eventDateTime")
    words = [text(event, f"event{what}", "descrUA") for what in ("Descr", "DetailDescr", "CityDescr")]
    yield reading.report(
        *(delivery, "meest", number, STATUSES.get(code, "unknown"), code, at or None),
        *(code, when),
        status_text=", ".join(filter(None, words)),
    )


POLL = Poll(
    "https://api.meest.com",
    ask,
    Auth("token", "", LogIn(log_in, token)),
    parse=parse,
    cursor=None,
    subjects=Subjects("parcels"),
    every=1_800,
    check=check,
)
