"""Call detail records as JSON, as a form, or as lines of Master.csv (https://docs.asterisk.org, cdr.conf)."""

import csv

from crm.connector import Delivery
from crm.errors import Malformed
from services.connectors.formats.bodies import kind_of, read_body
from services.connectors.formats.charset import decode_each
from services.connectors.formats.exact_json import Tree, Value, decode

_NAMES = """
    accountcode src dst dcontext clid channel dstchannel lastapp lastdata start answer end duration billsec disposition
    amaflags uniqueid userfield peeraccount linkedid sequence
"""
COLUMNS = _NAMES.split()
LEAST, MOST = COLUMNS.index("uniqueid") + 1, 1_000  # columns of a line; records of a body
APPLICATIONS = ("voicemail", "voicemailmain")


def records_in(delivery: Delivery) -> list[Tree]:
    """Raises Malformed when anything of it cannot be read: half of a call would be a wrong call."""
    kind, body = kind_of(delivery.content_type), delivery.body
    begin = body.lstrip()[:1]
    records: list[Value]
    if begin in (b"{", b"["):
        found = decode(body, kind.charset)
        records = found if isinstance(found, list) else [found]
    elif "csv" in kind.media or begin == b'"':
        lines = decode_each([body], kind.charset)[0].splitlines()
        records = [record_of(line) for line in csv.reader(lines) if line]
    else:
        records = [read_body(delivery).tree]
    trees = [record for record in records if isinstance(record, dict)]
    if not trees or len(trees) < len(records):
        raise Malformed("It holds no call detail record.")
    if len(trees) > MOST:
        raise Malformed(f"It holds more than {MOST} records. Send them in several requests.")
    return trees


def record_of(line: list[str]) -> Tree:
    if not LEAST <= len(line) <= len(COLUMNS):
        raise Malformed(f"A line has {len(line)} columns. Set loguniqueid=yes, loguserfield=yes and newcdrcolumns=yes.")
    return dict(zip(COLUMNS, line, strict=False))
