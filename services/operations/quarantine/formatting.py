"""Formats quarantined deliveries for display: ages, times, raw bytes."""

from datetime import UTC, datetime
from typing import Any

from crm.decisions.delivery import decode_fact
from crm.envelope import Fact
from crm.errors import Malformed
from crm.facts import DeliveryQuarantined
from crm.scalars import Micros
from crm.shared import Raw

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
SHOWN = 4_000  # bytes; --raw prints all


def age(since: Micros, now: Micros) -> str:
    """Returns an age in its largest unit: 90 s, 12 m, 5 h, 3 d."""
    seconds = max(0, now - since) // 1_000_000
    unit = next((u for u, size in reversed(SECONDS.items()) if seconds >= 2 * size), "s")
    return f"{seconds // SECONDS[unit]} {unit}"


def iso(at: Micros) -> str:
    """Returns a time as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def delivery_of(record: Any) -> tuple[Fact | None, Raw]:
    """Returns the fact of a record, if readable, and its raw delivery; of other records, all bytes."""
    value = record.value or b""
    try:
        fact = decode_fact(value)
    except Malformed:
        return None, Raw("avro/binary", {}, "", value)
    if isinstance(fact, DeliveryQuarantined):
        return fact, fact.raw
    return fact, Raw("avro/binary", {}, "", value)


def readable(body: bytes) -> str:
    """Returns the first 4,000 bytes: text as it is, anything else as a hex dump."""
    part = body[:SHOWN]
    text = part.decode("utf-8", "ignore")
    shown = text if len(text.encode()) > len(part) - 4 and printable(text) else hex_dump(part)
    return shown if len(body) <= SHOWN else f"{shown}\n… {len(body) - SHOWN} more bytes: --raw prints all"


def printable(text: str) -> bool:
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def hex_dump(body: bytes) -> str:
    """Returns sixteen bytes per line: offset, hex, ASCII."""
    lines = []
    for at in range(0, len(body), 16):
        row = body[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)
