"""Cursors: opaque text that says where a page ended and in which order it was read."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any

import msgspec

from api.errors import BadCursor

Values = tuple[Any, ...]


def cursor(order: tuple[str, ...], values: Values) -> str:
    """`order` names the columns, `values` are theirs in the last row."""
    plain = [v.isoformat() if isinstance(v, datetime) else v for v in values]
    return urlsafe_b64encode(msgspec.json.encode([" ".join(order), *plain])).decode().rstrip("=")


def position(text: str, order: tuple[str, ...], kinds: tuple[type, ...]) -> Values:
    """The values again. Raises BadCursor when it is of another list or no cursor at all."""
    try:
        told, *values = msgspec.json.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, TypeError, msgspec.DecodeError):
        raise BadCursor("This is no cursor. Take `after` from an earlier page's endCursor.") from None
    if told != " ".join(order):
        raise BadCursor("This cursor belongs to another list. Take `after` from this list's earlier page.")
    try:
        return tuple(msgspec.convert(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (msgspec.ValidationError, ValueError):
        raise BadCursor("This cursor was changed on its way. Take `after` from an earlier page's endCursor.") from None
