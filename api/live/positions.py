"""Positions in the journal: the next one of each partition. As opaque text they are a client's cursor."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from zlib import crc32

import msgspec

from api.errors import BadCursor
from crm.topics import JOURNAL

Positions = tuple[int, ...]  # by partition
BEGINNING: Positions = (0,) * JOURNAL.partitions
CHECK = 4  # bytes of a checksum
NONE = 'This is not a valid cursor. Send the last `cursor` that you received, or "0".'


def positions_of(text: str, workspace: str) -> Positions:
    """Returns the positions in a cursor; "0" is the beginning of the journal. Raises BadCursor."""
    if text == "0":
        return BEGINNING
    return as_positions(unseal(text, workspace))


def seal(value: Any, owner: str) -> str:
    """Returns the value as text that is valid for this owner only. It is a checksum, not a signature."""
    body = checksum(owner.encode()) + msgspec.msgpack.encode(value)
    return urlsafe_b64encode(body + checksum(body)).decode().rstrip("=")


def unseal(text: str, owner: str) -> Any:
    """Returns the value in a sealed text. Raises BadCursor."""
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        whole = b""
    body, check = whole[:-CHECK], whole[-CHECK:]
    if len(body) <= CHECK or checksum(body) != check:
        raise BadCursor(NONE)
    if body[:CHECK] != checksum(owner.encode()):
        raise BadCursor(
            "This cursor belongs to another workspace or subscription. Send one that this subscription returned."
        )
    try:
        return msgspec.msgpack.decode(body[CHECK:])
    except msgspec.DecodeError:
        raise BadCursor(NONE) from None


def as_positions(value: Any) -> Positions:
    """Checks the value of a decoded cursor. Raises BadCursor."""
    try:
        found = msgspec.convert(value, Positions)
    except msgspec.ValidationError:
        raise BadCursor(NONE) from None
    if len(found) != len(BEGINNING):
        raise BadCursor(NONE)
    return found


def checksum(data: bytes) -> bytes:
    return crc32(data).to_bytes(CHECK, "big")
