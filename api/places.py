"""Where a reader of the journal stands: the next position of each partition; as opaque text, a client's cursor."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from zlib import crc32

import msgspec

from api.errors import BadCursor
from crm.topics import JOURNAL

Places = tuple[int, ...]  # by partition
BEGINNING: Places = (0,) * JOURNAL.partitions
CHECK = 4  # bytes of a checksum


def cursor(places: Places, workspace: str) -> str:
    """Good for this workspace only."""
    told = checksum(workspace.encode()) + msgspec.msgpack.encode(places)
    return urlsafe_b64encode(told + checksum(told)).decode().rstrip("=")


def places(text: str, workspace: str) -> Places:
    """The places again; "0" is the beginning of the journal. Raises BadCursor."""
    if text == "0":
        return BEGINNING
    try:
        whole = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        whole = b""
    told, check = whole[:-CHECK], whole[-CHECK:]
    if len(told) <= CHECK or checksum(told) != check:
        raise BadCursor('This is no cursor, or it was changed on its way. Give the `cursor` of a page, or "0".')
    if told[:CHECK] != checksum(workspace.encode()):
        raise BadCursor("This cursor belongs to another workspace. Give one that this token's workspace was told.")
    found: Places = msgspec.msgpack.decode(told[CHECK:], type=tuple[int, ...])
    return found


def checksum(data: bytes) -> bytes:
    return crc32(data).to_bytes(CHECK, "big")
