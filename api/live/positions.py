"""Where a reader of the journal stands: the next position of each partition; as opaque text, a client's cursor."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from zlib import crc32

import msgspec

from api.errors import BadCursor
from crm.topics import JOURNAL

Places = tuple[int, ...]  # by partition
BEGINNING: Places = (0,) * JOURNAL.partitions
CHECK = 4  # bytes of a checksum
NONE = 'This is no cursor, or it was changed on its way. Give the last `cursor` that you were told, or "0".'


def cursor(places: Places, workspace: str) -> str:
    """Good for this workspace only."""
    return sealed(places, workspace)


def places(text: str, workspace: str) -> Places:
    """The places again; "0" is the beginning of the journal. Raises BadCursor."""
    if text == "0":
        return BEGINNING
    return as_places(unsealed(text, workspace))


def sealed(told: Any, owner: str) -> str:
    """Text that only the same owner can open."""
    body = checksum(owner.encode()) + msgspec.msgpack.encode(told)
    return urlsafe_b64encode(body + checksum(body)).decode().rstrip("=")


def unsealed(text: str, owner: str) -> Any:
    """Raises BadCursor."""
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        whole = b""
    body, check = whole[:-CHECK], whole[-CHECK:]
    if len(body) <= CHECK or checksum(body) != check:
        raise BadCursor(NONE)
    if body[:CHECK] != checksum(owner.encode()):
        raise BadCursor(
            "This cursor belongs to another workspace or another subscription. Give one that this one was told."
        )
    try:
        return msgspec.msgpack.decode(body[CHECK:])
    except msgspec.DecodeError:
        raise BadCursor(NONE) from None


def as_places(told: Any) -> Places:
    """Of a decoded cursor. Raises BadCursor."""
    try:
        found = msgspec.convert(told, Places)
    except msgspec.ValidationError:
        raise BadCursor(NONE) from None
    if len(found) != len(BEGINNING):
        raise BadCursor(NONE)
    return found


def checksum(data: bytes) -> bytes:
    return crc32(data).to_bytes(CHECK, "big")
