"""Meest: the events of a parcel (https://wiki.meest-group.com/api/en/v3.0/openAPI)."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import quote, unquote

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Auth, LogIn, Page, Poll, PollFailed, Rejected, Subjects, Token, Turn, expect_json
from crm.errors import Malformed
from crm.facts import ParcelReported
from crm.scalars import Micros
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import Tree, decode_object, encode
from services.connectors.formats.kyiv_times import kyiv_moment
from services.connectors.formats.values import records, required, text

BASE = "/v3.0/openAPI"
STATUSES = {"2": "created", "606": "in_transit", "8081": "in_transit", "1622": "received"}  # all that is published


def log_in(_connection: Connection, key: str) -> Ask:
    name, _, password = key.partition(":")
    body = encode({"username": name, "password": password}).encode()
    return Ask(f"{BASE}/auth", method="POST", body=body, headers={"content-type": "application/json"})


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
    doubts = Doubts()
    *_, (at, _, event) = sorted((moment(event, doubts), place, event) for place, event in enumerate(events))
    code = required(event, "eventCode")
    words = [text(event, f"event{what}", "descrUA") for what in ("Descr", "DetailDescr", "CityDescr")]
    report = partial(
        ParcelReported,
        service="meest",
        tracking_number=number,
        status=STATUSES.get(code, "unknown"),
        status_code=code,
        status_text=", ".join(filter(None, words)),
        changed_at=at or None,
        doubts=tuple(doubts),
    )
    yield Report(f"{number}/{code}/{text(event, 'eventDateTime')}", number, at or delivery.received_at, report)


def moment(event: Tree, doubts: Doubts) -> Micros:
    return doubts.read(
        lambda: kyiv_moment(text(event, "eventDateTime")), None, "when it changed is not known"
    ) or Micros(0)


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
