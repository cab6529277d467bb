"""Ukrposhta: the last status of parcels (https://dev.ukrposhta.ua, StatusTracking 0.0.1)."""

from collections.abc import Iterator
from functools import partial

from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Auth, Keep, Poll, Rejected, Steps, Subjects, Turn
from crm.facts import ParcelReported
from services.connectors.doubts import Doubts
from services.connectors.formats.exact_json import decode_object, encode
from services.connectors.formats.kyiv_times import kyiv_moment
from services.connectors.formats.values import required, text

BATCH = 50
STATUSES = {
    "10601": "created",
    **dict.fromkeys(("10100", "20700", "20800", "20900", "21500", "31300"), "in_transit"),
    **dict.fromkeys(("21400", "21700"), "arrived"),
    **dict.fromkeys(("41000", "48000"), "received"),
    "31200": "returning",
    "41010": "returned",
    **dict.fromkeys(("10600", "10602", "10603", "31100", "31400"), "failed"),
}
TO_SENDER = "10"  # the reason of a 41000 that is a 41010: it was handed to the sender


def ask(turn: Turn) -> Ask:
    body, headers = encode(list(turn.subjects)).encode(), {"content-type": "application/json"}
    return Ask("/status-tracking/0.0.1/statuses/last/with-not-found", method="POST", body=body, headers=headers)


def pull(turn: Turn) -> Steps:
    """Asks batch by batch. A parcel is not found until it was handed in: where that is so of a whole batch, the answer
    is 404."""
    for first in range(0, len(turn.subjects), BATCH):
        try:
            page = yield ask(replace(turn, subjects=turn.subjects[first : first + BATCH]))
        except Rejected as error:
            if "404" in str(error):
                continue
            raise
        yield Keep(page, turn.cursor)


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    status = decode_object(delivery.body)
    number, date = required(status, "barcode"), text(status, "date")
    code = required(status, "event").replace(" ", "")
    doubts = Doubts()
    at = doubts.read(lambda: kyiv_moment(date), None, "when it changed is not known")
    to_sender = code == "41000" and text(status, "eventReason_id") == TO_SENDER
    words = (text(status, name) for name in ("eventName", "eventReason", "name"))
    report = partial(
        ParcelReported,
        service="ukrposhta",
        tracking_number=number,
        status="returned" if to_sender else STATUSES.get(code, "unknown"),
        status_code=code,
        status_text=", ".join(filter(None, words)),
        changed_at=at,
        doubts=tuple(doubts),
    )
    key = f"{number}/{text(status, 'step')}/{code}/{date}"
    yield Report(key, number, delivery.received_at if at is None else at, report)


POLL = Poll(
    "https://www.ukrposhta.ua",
    ask,
    Auth(),
    parse=parse,
    items=("found",),
    cursor=None,
    subjects=Subjects("parcels", BATCH),
    every=1_800,
    pull=pull,
)
