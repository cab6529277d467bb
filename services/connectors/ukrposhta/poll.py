"""Ukrposhta: the last status of parcels (https://dev.ukrposhta.ua, StatusTracking 0.0.1)."""

from collections.abc import Iterator

from msgspec.structs import replace

from crm.connector import Connection, Delivery, Report
from crm.connector_poll import Ask, Auth, Keep, Rejected, Steps, Turn, post_json
from services.connectors.formats.exact_json import decode_object
from services.connectors.formats.meanings import meanings
from services.connectors.formats.values import required, text
from services.connectors.parcels import UNKNOWN_TIME, ParcelReading, parcel_poll

BATCH = 50
STATUSES = meanings(
    created="10601",
    in_transit="10100 20700 20800 20900 21500 31300",
    arrived="21400 21700",
    received="41000 48000",
    returning="31200",
    returned="41010",
    failed="10600 10602 10603 31100 31400",
)
TO_SENDER = "10"  # the reason of a 41000 that is a 41010: it was handed to the sender


def ask(turn: Turn) -> Ask:
    return post_json("/status-tracking/0.0.1/statuses/last/with-not-found", list(turn.subjects))


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
    code, reading = required(status, "event").replace(" ", ""), ParcelReading()
    to_sender = code == "41000" and text(status, "eventReason_id") == TO_SENDER
    means = "returned" if to_sender else STATUSES.get(code, "unknown")
    at = reading.moment(status, "date", doubt=UNKNOWN_TIME)
    yield reading.report(
        *(delivery, "ukrposhta", required(status, "barcode"), means, code, at),
        *(text(status, "step"), code, text(status, "date")),
        status_text=", ".join(filter(None, (text(status, name) for name in ("eventName", "eventReason", "name")))),
    )


POLL = parcel_poll("https://www.ukrposhta.ua", ask, Auth(), parse=parse, items=("found",), batch=BATCH, pull=pull)
