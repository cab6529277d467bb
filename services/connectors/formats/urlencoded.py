"""application/x-www-form-urlencoded: the usual body in one pass, any other field by field."""

import re
from binascii import a2b_qp, unhexlify

from crm.errors import Malformed
from services.connectors.formats.charset import is_surely_utf8
from services.connectors.formats.exact_json import MOST_FIELDS

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_UNICODE_ESCAPES = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")  # as JavaScript's escape() wrote
_BROKEN_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
# What separates fields gets marks that no field holds, and escapes the sign that they have in quoted-printable.
_BETWEEN, _EQUALS = "\x1e", "\x1f"
_AS_QUOTED_PRINTABLE = bytes.maketrans(b"&=%+", b"\x1e\x1f= ")
_UNUSUAL = (b"_charset_", b"\x1e", b"\x1f", b"%1")  # a charset's field; what could be one of the marks
Pairs = list[tuple[bytes, bytes]]


def texts_in(body: bytes, charset: str) -> list[tuple[str, str]] | None:
    """Returns every field of a body that is certainly UTF-8; None for any other: see `pairs_in`.

    Quoted-printable is the same escapes under another sign, and its reader is written in C.
    """
    if any(unusual in body for unusual in _UNUSUAL) or _BROKEN_ESCAPE.search(body):
        return None
    raw = a2b_qp(body.translate(_AS_QUOTED_PRINTABLE))
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if not is_surely_utf8(text, len(raw), charset):
        return None
    parts = text.split(_BETWEEN)
    if len(parts) > MOST_FIELDS:
        return None
    return [
        (name, value.replace(_EQUALS, "=")) for part in parts if part for name, _, value in (part.partition(_EQUALS),)
    ]


def pairs_in(body: bytes) -> Pairs:
    """Returns every field as bytes, before the charset is known. Raises Malformed for more than 10,000."""
    parts = body.split(b"&", MOST_FIELDS)
    if len(parts) > MOST_FIELDS:
        raise Malformed(f"The form has more than {MOST_FIELDS} fields.")
    return [(unescaped(name), unescaped(value)) for name, _, value in (p.partition(b"=") for p in parts if p)]


def unescaped(text: bytes) -> bytes:
    if b"+" in text:
        text = text.replace(b"+", b" ")
    if b"%" in text:
        if b"%u" in text:
            text = _UNICODE_ESCAPES.sub(_of_javascript, text)
        text = _ESCAPES.sub(lambda run: unhexlify(run[0].replace(b"%", b"")), text)
    return text


def _of_javascript(run: re.Match[bytes]) -> bytes:
    units = bytes.fromhex(run[0].replace(b"%u", b"").decode())
    return units.decode("utf-16-be", "replace").encode("utf-8", "replace")
