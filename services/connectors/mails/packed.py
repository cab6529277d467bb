"""What is packed in a delivery: parts of a form and of a mail, texts of JSON and their base64, one in the other."""

import base64
import re
from collections.abc import Callable, Iterator
from email import message_from_bytes
from typing import Any
from urllib.parse import urlencode

from msgspec import DecodeError, json

from crm.claim_check import StandIn
from crm.errors import Malformed
from services.connectors.formats.bodies import URLENCODED, kind_of
from services.connectors.formats.multipart import boundary_in, parts_of
from services.connectors.formats.urlencoded import pairs_in
from services.connectors.mails.rfc822 import content_of

DEPTH = 4  # a file in a mail in base64 in JSON in a form
_HEADER = re.compile(rb"\s*[A-Za-z][\w-]*:|From ")
Change = tuple[bytes, bytes]  # what stands in the body, and what is to stand there


def repacked(body: bytes, content_type: str, stand_in: StandIn, depth: int = DEPTH) -> bytes:
    """Returns the body with stand-ins for contents, packed as these were. One that is not found as it stands stays.

    `stand_in` is asked about every content, from the outside in; of a mail within a mail its answer counts for nothing.
    """

    def changed(content: bytes) -> bytes:
        found = stand_in(content)
        return found if found is not None else repacked(content, "", stand_in, depth - 1) if depth > 1 else content

    kind, start = kind_of(content_type), body[:200].lstrip()
    try:
        if kind.media == URLENCODED:
            pairs = [(name, value, changed(value)) for name, value in pairs_in(body)]
            same = all(old is new for _, old, new in pairs)
            return body if same else urlencode([(name, new) for name, _, new in pairs]).encode()
        if boundary := boundary_in(body, kind.boundary):
            found = (bytes(part.content) for part in parts_of(body, boundary)[0])
            return spliced(body, ((old, changed(old)) for old in found))
        if start[:1] in (b"{", b"["):
            return spliced(body, in_json(body, changed))
        if _HEADER.match(start):
            return spliced(body, in_mail(body, stand_in, changed))
    except (Malformed, DecodeError, UnicodeDecodeError, RecursionError):
        pass
    return body


def spliced(body: bytes, changes: Iterator[Change]) -> bytes:
    """Replaces what changes, in the order of the body, until something is not found as it stands."""
    parts, at, lost = list[bytes](), 0, False
    for old, new in changes:
        if lost or old is new:
            continue  # it was asked about all the same
        if (found := body.find(old, at)) < 0:
            lost = True
        else:
            parts += body[at:found], new
            at = found + len(old)
    return b"".join((*parts, body[at:])) if parts else body


def in_json(body: bytes, changed: Callable[[bytes], bytes]) -> Iterator[Change]:
    slash = b"\\/" if b"\\/" in body else b"/"  # as some vendors write it
    for text in _texts(json.decode(body)):
        old = json.encode(text)[1:-1].replace(b"/", slash)
        plain, inner = text.encode("utf-8", "surrogatepass"), _decoded(text)
        if inner is not None and (new := changed(inner)) is not inner:
            yield old, base64.b64encode(new)
        elif (new := changed(plain)) is not plain:
            yield old, json.encode(new.decode("utf-8", "replace"))[1:-1]


def in_mail(body: bytes, stand_in: StandIn, changed: Callable[[bytes], bytes]) -> Iterator[Change]:
    for part in message_from_bytes(body).walk():
        if part.get_content_maintype() == "multipart":
            continue
        content = content_of(part)
        if part.is_multipart():
            stand_in(content)
        elif (new := changed(content)) is not content:
            encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
            if encoding == "base64":
                new = base64.b64encode(new)
            packed = str(part.get_payload()).encode("utf-8", "surrogateescape")
            yield (packed if encoding in ("base64", "quoted-printable") else content), new


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _decoded(text: str) -> bytes | None:
    """Returns what a text is in base64, of either alphabet and with or without its padding; else None."""
    plain = "".join(text.split()).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except ValueError:
        return None
