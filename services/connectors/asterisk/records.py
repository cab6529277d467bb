"""What an exchange sends: call detail records as JSON, as a form, or as lines of Master.csv, and events as text or JSON
(https://docs.asterisk.org, cdr.conf, AMI, ARI)."""

import csv
import re
from collections.abc import Iterator

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.bodies import json_lines, kind_of, read_body
from services.connectors.formats.charset import decode_each
from services.connectors.formats.exact_json import Tree, Value, decode
from services.connectors.formats.values import text

_NAMES = """
    accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec disposition
    amaflags uniqueid userfield peeraccount linkedid sequence
"""
COLUMNS = _NAMES.split()
LEAST, MOST = COLUMNS.index("uniqueid") + 1, 1_000  # columns of a line; records of a body
APPLICATIONS = ("voicemail", "voicemailmain")
FROM_INSIDE = re.compile(r"from-internal|dialout|outgoing|outbound", re.IGNORECASE)  # contexts of FreePBX and like it
ENDPOINT = re.compile(r"[^/]+/([^@]+?)(?:@.*)?-[0-9a-f]{8}(?:;\d)?")  # of a channel such as PJSIP/902-0000001a
BLOCKS = re.compile(rb"\s*(?:Asterisk Call Manager/|(?:Event|Response|Privilege):)", re.IGNORECASE)
EVENT = re.compile(r"\n\s*\n|\n(?=Event:)", re.IGNORECASE)  # where a block of lines ends
CDR_EVENT = """
    source=src destination=dst destinationcontext=dcontext callerid=clid destinationchannel=dstchannel starttime=start
    lastapplication=lastapp answertime=answer endtime=end billableseconds=billsec
"""
CDR_NAMES = dict(pair.split("=") for pair in CDR_EVENT.split())


def records_in(delivery: Delivery) -> list[Tree]:
    """Raises Malformed when anything of it cannot be read: half of a call would be a wrong call."""
    kind, body = kind_of(delivery.content_type), delivery.body
    begin = body.lstrip()[:1]
    records: list[Value]
    if begin in (b"{", b"["):
        records = json_lines(body, kind.charset) if b"\n" in body.strip() else []
        if not records:
            found = decode(body, kind.charset)
            records = found if isinstance(found, list) else [found]
    elif BLOCKS.match(body):
        records = [*events_in(text_of(body, kind.charset))]
    elif "csv" in kind.media or begin == b'"':
        lines = text_of(body, kind.charset).splitlines()
        records = [record_of(line) for line in csv.reader(lines) if line]
    else:
        records = [read_body(delivery).tree]
    trees = [record for record in records if isinstance(record, dict)]
    if not trees or len(trees) < len(records):
        raise Malformed("It holds no call detail record and no event.")
    if len(trees) > MOST:
        raise Malformed(f"It holds more than {MOST} records. Send them in several requests.")
    return trees


def text_of(body: bytes, charset: str) -> str:
    return decode_each([body], charset)[0].replace("\0", "\ufffd")  # as in JSON


def events_in(lines: str) -> Iterator[Tree]:
    """Yields the blocks of lines that name an event, or an answer to an action."""
    for block in EVENT.split(lines.replace("\r\n", "\n")):
        pairs = [line.partition(":") for line in block.splitlines()]
        event: Tree = {name.strip().lower(): value.strip() for name, colon, value in pairs if colon}
        if event.keys() & {"event", "response"}:
            yield event


def manager_event(tree: Tree) -> Tree | None:
    """Returns an event of the manager interface, whose names libraries write as they like; None for anything else."""
    event: Tree = {name.lower(): "" if value == "<unknown>" else value for name, value in tree.items()}
    if not (text(event, "event") or text(event, "response")):
        return None
    return event | {"event": text(event, "event").lower() or "response"}


def of_cdr_event(event: Tree) -> Tree:
    """Returns the call detail record of an event Cdr."""
    return {CDR_NAMES.get(name, name): value for name, value in event.items() if name not in ("event", "privilege")}


def record_of(line: list[str]) -> Tree:
    if not LEAST <= len(line) <= len(COLUMNS):
        raise Malformed(f"A line has {len(line)} columns. Set loguniqueid=yes, loguserfield=yes and newcdrcolumns=yes.")
    return dict(zip(COLUMNS, line, strict=False))
