"""JSON Web Tokens (RFC 7519) in their compact form: three parts in base64url."""

import base64
from typing import Any

import msgspec

from crm.errors import Refused


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def from_base64url(part: str) -> bytes:
    """Raises ValueError."""
    return base64.b64decode(part + "=" * (-len(part) % 4), b"-_", validate=True)


def decoded(part: str) -> Any:
    """Raises Refused for anything but base64 of a JSON object."""
    try:
        found = msgspec.json.decode(from_base64url(part))
    except (ValueError, msgspec.MsgspecError):
        found = None
    if not isinstance(found, dict):
        raise Refused("The token of the Authorization header cannot be read. Nothing was kept.")
    return found
