"""Asterisk: call detail records, one of each pair of channels (https://docs.asterisk.org, CDR specification)."""

import re
from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors.asterisk.records import APPLICATIONS, records_in
from services.connectors.call_sides import OwnNumbers, happened_at, sides_of
from services.connectors.calls import call_report
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.values import first, seconds_or_none, text, unreadable
from services.connectors.signatures.basic import expect_bearer

DISPOSITIONS = {"NO ANSWER": "no_answer", "CONGESTION": "failed"}
FROM_INSIDE = re.compile(r"from-internal|dialout|outgoing|outbound", re.IGNORECASE)  # contexts of FreePBX and like it
ENDPOINT = re.compile(r"[^/]+/([^@]+?)(?:@.*)?-[0-9a-f]{8}(?:;\d)?")  # of a channel such as PJSIP/902-0000001a
CLOCK = ("start", "answer", "end", "duration", "billsec")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an exchange."""

    own_numbers: OwnNumbers = ""
    country: Country = ""
    timezone: Timezone = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    for record in records_in(delivery):
        yield report_of(record, connection, delivery.received_at)


def report_of(record: Tree, connection: Connection, received_at: Micros) -> Report:
    """Returns the report of one leg. `linkedid` is that of the whole call; a file without this column has a call for
    each channel."""
    channel = text(record, "uniqueid")
    id = first(record, "linkedid", "uniqueid")
    if not id:
        raise Malformed("It does not say which call it is about: 'uniqueid' is missing.")
    country, own = country_of(connection), connection.settings_as(Settings).own_numbers
    said = "out" if FROM_INSIDE.search(text(record, "dcontext")) else "in"
    caller = text(record, "src") or ("exchange" if text(record, "lastapp") == "AppDial" else "")  # which called itself
    sides = sides_of(caller, text(record, "dst"), own, country, said, joins=channel not in ("", id))
    start, answer, end = (local_moment(text(record, name), connection) for name in CLOCK[:3])
    lasted, billed = (seconds_or_none(record, name) for name in CLOCK[3:])
    alone, word = not text(record, "dstchannel"), text(record, "disposition").upper()
    disposition = DISPOSITIONS.get(word, word.lower())
    if alone and word == "ANSWERED":  # by the exchange itself: nobody talked
        disposition = "voicemail" if text(record, "lastapp").lower() in APPLICATIONS else "no_answer"
    waited = (answer - start) // 1_000_000 if start and answer and answer >= start else None
    if waited is None and lasted is not None:
        waited = lasted - (billed or 0)
    missing = [name for name, value in zip(CLOCK, (start, answer, end, lasted, billed), strict=True) if value is None]
    if sides.direction != "out" and (rung := ENDPOINT.fullmatch(text(record, "dstchannel"))):
        sides = sides._replace(employee=rung[1])
    notes = (unreadable(record, *missing), sides.note)
    at = Micros(min(end, received_at)) if end else happened_at(start, lasted or 0, received_at)
    return call_report(
        *(id, f"{channel}/{digest(canonical(record))}", at),
        phase="completed",
        **sides._replace(note="; ".join(filter(None, notes)))._asdict(),
        started_at=start,
        wait_s=waited if waited is None or waited >= 0 else None,
        talk_s=0 if alone or word != "ANSWERED" else billed,
        disposition=disposition,
        recording=first(record, "recordingfile", "recording"),
        leg="/".join((channel, text(record, "sequence") or digest(canonical(record))[:16])),
    )


WEBHOOK = Webhook(expect_bearer, parse)
