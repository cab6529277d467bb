"""Asterisk: events while a call lasts, then its detail records, one of each pair of channels
(https://docs.asterisk.org, CDR specification)."""

from collections.abc import Iterator

from msgspec import Struct

from crm.connector import Connection, Delivery, Report, Webhook, country_of, digest
from crm.connector_settings import Country
from crm.errors import Malformed
from crm.scalars import Micros
from services.connectors.asterisk import ari
from services.connectors.asterisk.ami import live_report
from services.connectors.asterisk.records import (
    APPLICATIONS,
    ENDPOINT,
    FROM_INSIDE,
    manager_event,
    of_cdr_event,
    records_in,
)
from services.connectors.call_sides import OwnNumbers, happened_at, sides_of
from services.connectors.calls import call_report
from services.connectors.formats.exact_json import Tree, canonical
from services.connectors.formats.local_times import Timezone, local_moment
from services.connectors.formats.values import first, seconds_or_none, text, unreadable
from services.connectors.repeats import kept
from services.connectors.signatures.basic import expect_bearer

DISPOSITIONS = {"NO ANSWER": "no_answer", "CONGESTION": "failed"}
CLOCK = ("start", "answer", "end", "duration", "billsec")


class Settings(Struct, frozen=True, gc=False):
    """The settings of a connection to an exchange."""

    own_numbers: OwnNumbers = ""
    country: Country = ""
    timezone: Timezone = ""


def parse(delivery: Delivery, connection: Connection) -> Iterator[Report]:
    """Yields a report of each record and of each event that says how far a call is; if none does, of what was kept."""
    own, country = connection.settings_as(Settings).own_numbers, country_of(connection)
    silent, records = True, records_in(delivery)
    for record in records:
        event = ari.as_manager_event(record) if ari.is_event(record) else manager_event(record)
        if event is None or event["event"] == "cdr":
            cdr = record if event is None else of_cdr_event(event)
            report: Report | None = report_of(cdr, connection, delivery.received_at)
        else:
            report = live_report(event, own, country, delivery.received_at)
        if report:
            silent = False
            yield report
    if silent:
        yield kept("asterisk", first(records[0], "Event", "event", "type") or "event", delivery)


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
