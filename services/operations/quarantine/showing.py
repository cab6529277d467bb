"""Quarantined deliveries for people: ages, raw bytes, and what a record of Kafka holds."""

from datetime import UTC, datetime
from typing import Any

from crm.decisions.delivery import legible
from crm.envelope import Fact
from crm.errors import Malformed
from crm.facts import DeliveryQuarantined
from crm.scalars import Micros
from crm.shared import Raw

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}
SHOWN = 4_000  # bytes; all of them are given by --raw


def age(since: Micros, now: Micros) -> str:
    """In its largest unit: 90 s, 12 m, 5 h, 3 d."""
    seconds = max(0, now - since) // 1_000_000
    unit = next((u for u, size in reversed(SECONDS.items()) if seconds >= 2 * size), "s")
    return f"{seconds // SECONDS[unit]} {unit}"


def iso(at: Micros) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(at // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def delivery_of(record: Any) -> tuple[Fact | None, Raw]:
    """The fact that lies there, if it can be read, and what the outside said: for a quarantined delivery the delivery
    itself, for any other record all of its bytes."""
    value = record.value or b""
    try:
        fact = legible(value)
    except Malformed:
        return None, Raw("avro/binary", {}, "", value)
    if isinstance(fact, DeliveryQuarantined):
        return fact, fact.raw
    return fact, Raw("avro/binary", {}, "", value)


def readable(body: bytes) -> str:
    """Text as it is, anything else as a hex dump; the first 4,000 bytes."""
    part = body[:SHOWN]
    text = part.decode("utf-8", "ignore")
    told = text if len(text.encode()) > len(part) - 4 and printable(text) else hex_dump(part)
    return told if len(body) <= SHOWN else f"{told}\n… {len(body) - SHOWN} bytes more: --raw gives them all"


def printable(text: str) -> bool:
    return all(letter.isprintable() or letter in "\r\n\t" for letter in text)


def hex_dump(body: bytes) -> str:
    """Sixteen bytes a line: offset, hex, ASCII."""
    lines = []
    for at in range(0, len(body), 16):
        row = body[at : at + 16]
        letters = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in row)
        lines.append(f"{at:08x}  {row.hex(' '):<47}  {letters}")
    return "\n".join(lines)
