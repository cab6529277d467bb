"""application/x-www-form-urlencoded: the usual body in one pass, any other field by field."""

import re
from binascii import unhexlify

from crm.errors import Malformed
from services.connectors.formats.charset import is_surely_utf8
from services.connectors.formats.exact_json import MOST_FIELDS

_ESCAPES = re.compile(rb"(?:%[0-9A-Fa-f]{2})+")
_UNICODE_ESCAPES = re.compile(rb"(?:%u[0-9A-Fa-f]{4})+")  # as JavaScript's escape() wrote
# What stands alone between other letters: each replaced at once. None of these letters can be a part of an escape.
_USUAL = ((b"%5B", b"["), (b"%5D", b"]"), (b"%20", b" "), (b"%3A", b":"), (b"%2F", b"/"), (b"%40", b"@"))
_UNUSUAL = (b"%u", b"_charset_")  # JavaScript's escapes, a charset's field
Pairs = list[tuple[bytes, bytes]]


def texts_in(body: bytes, charset: str) -> list[tuple[str, str]] | None:
    """Returns every field of a body that is certainly UTF-8; None for any other: see `pairs_in`."""
    for unusual in _UNUSUAL:
        if unusual in body:
            return None
    between, equals = "&", "="
    if b"%26" in body or b"%3D" in body or b"%3d" in body:  # within a value: those that separate get other marks
        if b"\x1e" in body or b"\x1f" in body or b"%1" in body:
            return None
        between, equals = "\x1e", "\x1f"
        body = body.replace(b"&", b"\x1e").replace(b"=", b"\x1f")
    for escape, letter in _USUAL:
        if escape in body:
            body = body.replace(escape, letter)
    raw = unescaped(body)
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    if not is_surely_utf8(text, len(raw), charset):
        return None
    parts = text.split(between)
    if len(parts) > MOST_FIELDS:
        return None
    return [
        (name, value.replace(equals, "=")) for part in parts if part for name, _, value in (part.partition(equals),)
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
